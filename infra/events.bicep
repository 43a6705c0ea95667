// Events of one subscription, into the queue `on-change`. Deployed with main.bicep for its own subscription; by itself for each further one
// that is watched (docs/deploy.md). Events are hints that make a collection sooner: sweeps are what completeness rests on, so there is no
// dead-letter store, and a lost event costs nothing but time.
param tags object = {}
param token string

@description('Azure allows one system topic for each subscription: where there is one, it is used, and must have the identity below.')
param existingSystemTopicName string = ''

@description('ARM id of the storage account with the queue.')
param storageAccountId string
param queueName string = 'on-change'

@description('ARM id of the identity that may put messages into the queue: the account takes no shared keys.')
param identityId string

var topicName = empty(existingSystemTopicName) ? 'evgt-${token}' : existingSystemTopicName

resource created 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (empty(existingSystemTopicName)) {
  name: 'evgt-${token}'
  location: 'global' // Azure refuses any other for events of a subscription
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: { source: subscription().id, topicType: 'Microsoft.Resources.Subscriptions' }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource changes 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'evidence-${token}'
  properties: {
    deliveryWithResourceIdentity: {
      identity: { type: 'UserAssigned', userAssignedIdentity: identityId }
      destination: {
        endpointType: 'StorageQueue'
        properties: { resourceId: storageAccountId, queueName: queueName, queueMessageTimeToLiveInSeconds: 604800 }
      }
    }
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: [
        'Microsoft.Resources.ResourceWriteSuccess'
        'Microsoft.Resources.ResourceDeleteSuccess'
        'Microsoft.Resources.ResourceActionSuccess'
      ]
      // The subject is the id of what was changed. Deployments, diagnostic settings and role assignments of an account have its id in
      // theirs, so this one filter has them all; what is assigned above an account (group, subscription) is seen by the next sweep.
      advancedFilters: [{ key: 'subject', operatorType: 'StringContains', values: ['/providers/Microsoft.CognitiveServices/'] }]
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
  }
  dependsOn: [created]
}
