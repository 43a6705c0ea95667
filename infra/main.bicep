// Everything that one installation needs, in one subscription: `azd up`, or `az deployment sub create` (docs/deploy.md).
// Plain resources, no module registry: it compiles without a network, and what is deployed is what is written here.
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Names the installation; every resource is named after it.')
param environmentName string

@description('Region of all resources. Must offer Flex Consumption.')
@metadata({ azd: { type: 'location' } })
param location string

@description('When sweeps are due: NCRONTAB, six fields, UTC. Sealed with every plan.')
param schedule string = '0 0 */6 * * *'

@description('Ids of the subscriptions to watch, separated by commas. Empty: all that the identity sees; infra/reader.bicep lets it see a management group.')
param subscriptions string = subscription().subscriptionId

@description('Log Analytics workspace that is asked about every account: ARM id, or customer id. Empty: those alone that the diagnostic settings of accounts name.')
param workspaceId string = ''

@allowed(['commit', 'keep'])
@description('What becomes of personal values (README, Privacy). Fixed when the store is made.')
param personalData string = 'commit'

@description('Path of a profile within the package, such as profile.toml. Empty: defaults are judged by.')
param profilePath string = ''

@description('Reads a second of each subscription, for each instance. Empty: 25, which is Azure\'s own limit.')
param readsPerSecond string = ''

@description('RFC 3161 authorities, separated by commas. Empty: none.')
param timestampUrls string = ''

@description('Witnesses, separated by semicolons: verifier key, space, URL. Empty: none.')
param witnesses string = ''

@description('Where checkpoints are copied to: URLs of blob containers or webhooks, separated by commas. Empty: nowhere.')
param copies string = ''

@description('Name of the secret in the vault that signs what goes to webhooks. Empty: none.')
param copySecretName string = ''

@description('Who is told of changes: URLs of webhooks, separated by commas. Empty: nobody but Azure Monitor.')
param alertWebhooks string = ''

@description('The least severity that webhooks are told.')
@allowed(['high', 'medium', 'low', 'info'])
param alertSeverity string = 'medium'

@description('Name of the secret in the vault that signs alerts. Empty: none.')
param alertSecretName string = ''

@description('Path of a list of receivers within the package, such as receivers.toml (docs/alerts.md). Empty: none but webhooks.')
param alertReceiversPath string = ''

@description('Whose view is limited, to what and until when (docs/portal.md). Empty: nobody has a limited view.')
param auditors string = ''

@description('Name of the secret in the vault that holds the secrets of those receivers, NAME=SECRET in lines. Empty: none.')
param alertSecretsName string = ''

@description('Address that is called after each sweep while nothing is alarmed, such as a check of healthchecks.io. Empty: none.')
param heartbeatUrl string = ''

@description('Name of the secret in the vault with a second signing key, Ed25519, for witnesses that take no ECDSA. Empty: none.')
param secondSigningKeySecretName string = ''

@minValue(1)
@maxValue(146000)
@description('Days for which evidence can be neither changed nor deleted. 2557: seven years.')
param retentionDays int = 2557

@description('Say true once the retention policy is locked: Azure refuses to deploy a locked one again, so it is left alone then.')
param retentionLocked bool = false

@minValue(1)
@maxValue(365)
@description('Days for which what was deleted from state, personal and bundles can be brought back. Erasing personal data takes that long, and two more days.')
param recoveryDays int = 7

@minValue(1)
@description('Days after which a built bundle is deleted.')
param bundleDays int = 30

@minValue(1)
@description('Days after which evidence moves to the cool tier. Its blobs are small: to move one costs more than seven years of it (docs/cost.md).')
param coolAfterDays int = 3650

@minValue(1)
@description('Days after which evidence moves to the cold tier.')
param coldAfterDays int = 7300

@description('Redundancy of the evidence. Standard_LRS where a region has no zones.')
param evidenceRedundancy string = 'Standard_ZRS'

@description('What the blob service logs of the evidence account. StorageRead too costs more than all the rest (docs/cost.md).')
param storageLogCategories array = ['StorageWrite', 'StorageDelete']

@description('Where alerts go. Empty: rules are made and tell nobody.')
param alertEmail string = ''

@description('Client id of the Entra app registration that callers of the HTTP functions log in to. Empty: every request is refused.')
param authClientId string = ''

@description('Object id of a person or group who may do with the store what the app may: `init`, `status`, `bundle`, `erase`. Empty: nobody.')
param operatorId string = ''

@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorType string = 'User'

@allowed(['exact', 'builtin'])
@description('exact: a role with the actions that are needed and nothing else. builtin: Reader, for when Azure refuses the name of an action.')
param readerRole string = 'exact'

@description('Collect an account soon after Azure tells of a change to it, not at the next slot only.')
param events bool = true

@description('Name of the subscription\'s Event Grid system topic, where there is one: Azure allows one for each subscription.')
param existingSystemTopicName string = ''

@description('Resource group of that topic.')
param existingSystemTopicResourceGroup string = ''

@description('Reach storage and vault through private endpoints alone.')
param privateNetwork bool = false

@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Put a lock on evidence and vault, so that deleting the resource group fails.')
param protectFromDeletion bool = true

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var groupName = 'rg-${environmentName}'
// EVIDENCE_CLOUD follows from where this is deployed.
var clouds = { AzureCloud: 'public', AzureUSGovernment: 'usgov', AzureChinaCloud: 'china' }
var usesSecrets = !empty(copySecretName) || !empty(alertSecretName) || !empty(alertSecretsName) || !empty(secondSigningKeySecretName)

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: tags
}

module identity 'identity.bicep' = {
  name: 'identity'
  scope: group
  params: { location: location, tags: tags, token: token }
}

module monitoring 'monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: { location: location, tags: tags, token: token, alertEmail: alertEmail }
}

module evidence 'evidence.bicep' = {
  name: 'evidence'
  scope: group
  params: {
    location: location
    tags: tags
    name: 'stev${token}'
    redundancy: evidenceRedundancy
    retentionDays: retentionDays
    retentionLocked: retentionLocked
    recoveryDays: recoveryDays
    bundleDays: bundleDays
    coolAfterDays: coolAfterDays
    coldAfterDays: coldAfterDays
    logCategories: storageLogCategories
    workspaceId: monitoring.outputs.workspaceId
    privateNetwork: privateNetwork
    protectFromDeletion: protectFromDeletion
  }
}

module runtime 'runtime.bicep' = {
  name: 'runtime'
  scope: group
  params: { location: location, tags: tags, name: 'strt${token}', privateNetwork: privateNetwork }
}

module vault 'vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    location: location
    tags: tags
    name: 'kv-${token}'
    workspaceId: monitoring.outputs.workspaceId
    privateNetwork: privateNetwork
    protectFromDeletion: protectFromDeletion
  }
}

module roles 'roles.bicep' = {
  name: 'roles-${token}'
  params: { installation: '${environmentName} ${token}', readerRole: readerRole, principalId: identity.outputs.principalId }
}

module inventory 'inventory.bicep' = {
  name: 'inventory-${token}'
  params: { installation: '${environmentName} ${token}', principalId: identity.outputs.principalId }
}

module access 'access.bicep' = {
  name: 'access'
  scope: group
  params: {
    evidenceAccount: evidence.outputs.name
    runtimeAccount: runtime.outputs.name
    vaultName: vault.outputs.name
    keyName: vault.outputs.keyName
    componentName: monitoring.outputs.componentName
    roles: roles.outputs.ids
    appPrincipalId: identity.outputs.principalId
    eventsPrincipalId: identity.outputs.eventsPrincipalId
    operatorId: operatorId
    operatorType: operatorType
    usesSecrets: usesSecrets
  }
}

module network 'network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    evidenceAccountId: evidence.outputs.id
    runtimeAccountId: runtime.outputs.id
    vaultId: vault.outputs.id
  }
}

module app 'app.bicep' = {
  name: 'app'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    packageContainerUrl: runtime.outputs.packageContainerUrl
    componentName: monitoring.outputs.componentName
    runtimeAccount: runtime.outputs.name
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    authClientId: authClientId
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    store: evidence.outputs.url
    storeId: evidence.outputs.id
    signingKey: vault.outputs.keyUrl
    vaultUrl: vault.outputs.url
    schedule: schedule
    subscriptions: subscriptions
    workspaceId: workspaceId
    personalData: personalData
    profilePath: profilePath
    readsPerSecond: readsPerSecond
    cloud: clouds[environment().name]
    timestampUrls: timestampUrls
    witnesses: witnesses
    copies: copies
    copySecretName: copySecretName
    alertWebhooks: alertWebhooks
    alertSeverity: alertSeverity
    alertSecretName: alertSecretName
    alertReceiversPath: alertReceiversPath
    auditors: auditors
    alertSecretsName: alertSecretsName
    heartbeatUrl: heartbeatUrl
    secondSigningKeySecretName: secondSigningKeySecretName
  }
  dependsOn: [access] // the host reads its storage as soon as it starts
}

module changes 'events.bicep' = if (events) {
  name: 'events-${token}'
  scope: resourceGroup(empty(existingSystemTopicName) ? groupName : existingSystemTopicResourceGroup)
  params: {
    tags: tags
    token: token
    existingSystemTopicName: existingSystemTopicName
    storageAccountId: runtime.outputs.id
    identityId: identity.outputs.eventsId
  }
  dependsOn: [access] // Azure tries the delivery when the subscription is made
}

module alerts 'alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    workspaceId: monitoring.outputs.workspaceId
    actionGroupId: monitoring.outputs.actionGroupId
  }
}

// What the command line needs to reach the same store, and to look at it with the same eyes: `eval "$(azd env get-values | sed 's/^/export /')"`.
output AZURE_RESOURCE_GROUP string = groupName
output AZURE_FUNCTION_NAME string = app.outputs.name
output AZURE_FUNCTION_HOST string = app.outputs.host
output EVIDENCE_STORE string = evidence.outputs.url
output EVIDENCE_STORE_ID string = evidence.outputs.id
output EVIDENCE_SCHEDULE string = schedule
output EVIDENCE_SIGNING_KEY string = vault.outputs.keyUrl
output EVIDENCE_CLOUD string = clouds[environment().name]
output EVIDENCE_PERSONAL_DATA string = personalData
output EVIDENCE_SUBSCRIPTIONS string = subscriptions
output EVIDENCE_WORKSPACE_ID string = workspaceId
output EVIDENCE_TSA_URL string = timestampUrls
output EVIDENCE_WITNESSES string = witnesses
output VAULT_NAME string = vault.outputs.name
output STORE_ACCOUNT string = evidence.outputs.name
output RUNTIME_ACCOUNT string = runtime.outputs.name
output APP_IDENTITY_ID string = identity.outputs.principalId
output EVENTS_IDENTITY string = identity.outputs.eventsId
