// The signing key. Its private half never leaves the vault; who may sign is a role, and every signature is logged.
param location string
param tags object
param name string
param workspaceId string
param privateNetwork bool
param protectFromDeletion bool

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: { bypass: 'AzureServices', defaultAction: privateNetwork ? 'Deny' : 'Allow' }
  }
}

// Azure makes a key where there is none and leaves one that is there alone: deploying again does not make another version.
resource key 'Microsoft.KeyVault/vaults/keys@2024-11-01' = {
  parent: vault
  name: 'evidence-log'
  properties: { kty: 'EC', curveName: 'P-256', keyOps: ['sign', 'verify'], attributes: { enabled: true, exportable: false } }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'evidence'
  properties: { workspaceId: workspaceId, logs: [{ categoryGroup: 'audit', enabled: true }] }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (protectFromDeletion) {
  scope: vault
  name: 'evidence'
  properties: { level: 'CanNotDelete', notes: 'Holds the key of the log. docs/deploy.md, "Leave", says what to do before it is removed.' }
}

output id string = vault.id
output name string = vault.name
output url string = vault.properties.vaultUri
output keyName string = key.name
// Without a version: the log itself names the one that signs, and `key rotate` seals another one. So nothing is to be set when it changes,
// and a version that somebody makes in the vault stops nothing.
output keyUrl string = key.properties.keyUri
