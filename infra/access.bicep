// Who may do what, here. tests/test_infra.py holds this list against the one that it has: a right more or less is a failure.
// The rights at the evidence account are given container by container, so that nothing which may delete touches `evidence`.
param evidenceAccount string
param runtimeAccount string
param vaultName string
param keyName string
param componentName string
@description('Ids of the custom roles: evidence, keeper, store, signer.')
param roles object
param appPrincipalId string
param eventsPrincipalId string
param operatorId string
param operatorType string
param usesSecrets bool

// The operator at the command line may do with the store what the app may, and not more: not even they can change evidence.
var app = [{ id: appPrincipalId, type: 'ServicePrincipal' }]
var keepers = empty(operatorId) ? app : concat(app, [{ id: operatorId, type: operatorType }])

var blobDataOwner = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b')
var queueDataContributor = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '974c5e8b-45b9-4653-ba55-5f855dd0fb88')
var queueDataMessageSender = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a')
var metricsPublisher = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '3913510d-42f4-4e42-8a64-420c390055eb')
var secretsUser = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')

resource storeAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: evidenceAccount
}

resource storeBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: storeAccount
  name: 'default'
}

resource evidence 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: storeBlobs
  name: 'evidence'
}

resource state 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: storeBlobs
  name: 'state'
}

resource personal 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: storeBlobs
  name: 'personal'
}

resource bundles 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = {
  parent: storeBlobs
  name: 'bundles'
}

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: runtimeAccount
}

resource hostQueues 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' existing = {
  parent: hostAccount
  name: 'default'
}

resource changeQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = {
  parent: hostQueues
  name: 'on-change'
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource key 'Microsoft.KeyVault/vaults/keys@2024-11-01' existing = {
  parent: vault
  name: keyName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource evidenceRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for who in keepers: {
  scope: evidence
  name: guid(evidence.id, who.id, 'evidence')
  properties: { roleDefinitionId: roles.evidence, principalId: who.id, principalType: who.type }
}]

resource stateRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for who in keepers: {
  scope: state
  name: guid(state.id, who.id, 'keeper')
  properties: { roleDefinitionId: roles.keeper, principalId: who.id, principalType: who.type }
}]

resource personalRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for who in keepers: {
  scope: personal
  name: guid(personal.id, who.id, 'keeper')
  properties: { roleDefinitionId: roles.keeper, principalId: who.id, principalType: who.type }
}]

resource bundleRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for who in keepers: {
  scope: bundles
  name: guid(bundles.id, who.id, 'keeper')
  properties: { roleDefinitionId: roles.keeper, principalId: who.id, principalType: who.type }
}]

resource storeRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for who in keepers: {
  scope: storeAccount
  name: guid(storeAccount.id, who.id, 'store')
  properties: { roleDefinitionId: roles.store, principalId: who.id, principalType: who.type }
}]

resource keyRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for who in keepers: {
  scope: key
  name: guid(key.id, who.id, 'signer')
  properties: { roleDefinitionId: roles.signer, principalId: who.id, principalType: who.type }
}]

// The vault holds no secrets but those that this app is told to use.
resource secretRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (usesSecrets) {
  scope: vault
  name: guid(vault.id, appPrincipalId, 'secrets')
  properties: { roleDefinitionId: secretsUser, principalId: appPrincipalId, principalType: 'ServicePrincipal' }
}

// What the Functions host asks for, in an account of its own.
resource hostRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: hostAccount
  name: guid(hostAccount.id, appPrincipalId, 'blobs')
  properties: { roleDefinitionId: blobDataOwner, principalId: appPrincipalId, principalType: 'ServicePrincipal' }
}

resource queueRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: hostAccount
  name: guid(hostAccount.id, appPrincipalId, 'queues')
  properties: { roleDefinitionId: queueDataContributor, principalId: appPrincipalId, principalType: 'ServicePrincipal' }
}

resource eventRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: changeQueue
  name: guid(changeQueue.id, eventsPrincipalId, 'sender')
  properties: { roleDefinitionId: queueDataMessageSender, principalId: eventsPrincipalId, principalType: 'ServicePrincipal' }
}

resource logRights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: component
  name: guid(component.id, appPrincipalId, 'metrics')
  properties: { roleDefinitionId: metricsPublisher, principalId: appPrincipalId, principalType: 'ServicePrincipal' }
}
