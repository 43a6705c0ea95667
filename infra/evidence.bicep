// The storage account that holds the store: evidence under retention, and beside it what is rebuilt, erased or thrown away.
// Nothing in it is reached with an account key, and nothing of the Functions runtime lives here: the runtime needs rights to delete.
param location string
param tags object
param name string
param redundancy string
param retentionDays int
param retentionLocked bool
param recoveryDays int
param bundleDays int
param coolAfterDays int
param coldAfterDays int
param logCategories array
param workspaceId string
param privateNetwork bool
param protectFromDeletion bool

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: { bypass: 'None', defaultAction: privateNetwork ? 'Deny' : 'Allow' }
  }
}

// Versioning and blob soft delete exist for whole accounts only. Versioning is needed: version-level immutability rests on it. But it
// keeps what is deleted from `personal` as a version, and erasing must end in erasing. So versions outside the evidence live one day
// (the lifecycle rule `forget`), and soft delete, which is the one net under a deletion by mistake, is short: erased values are gone
// after recoveryDays and at most two days more. Evidence gains nothing from soft delete: nobody can delete it in the first place.
resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: { enabled: true, days: recoveryDays }
    containerDeleteRetentionPolicy: { enabled: true, days: recoveryDays }
  }
}

resource evidence 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: 'evidence'
  properties: { publicAccess: 'None', immutableStorageWithVersioning: { enabled: true } }
}

// Deployed unlocked; locking is a step of its own, by hand, since nobody can undo it (docs/deploy.md). What is written before it is locked
// stays unlocked for good: each blob takes the policy as it is when the blob is written. So lock first, then make the store.
resource retention 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-06-01' = if (!retentionLocked) {
  parent: evidence
  name: 'default'
  properties: { immutabilityPeriodSinceCreationInDays: retentionDays, allowProtectedAppendWrites: false }
}

resource state 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: 'state'
  properties: { publicAccess: 'None' }
}

resource personal 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: 'personal'
  properties: { publicAccess: 'None' }
}

resource bundles 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: 'bundles'
  properties: { publicAccess: 'None' }
}

// Tiers apply to what is large and seldom read. Checkpoints, commits and tiles of hashes are small and read by every verification:
// moving them would cost more than it saves. Nothing deletes evidence when its time is over: that is for a person to decide.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'tier-evidence'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['evidence/batch/', 'evidence/body/', 'evidence/log/tile/entries/'] }
            actions: {
              baseBlob: {
                tierToCool: { daysAfterModificationGreaterThan: coolAfterDays }
                tierToCold: { daysAfterModificationGreaterThan: coldAfterDays }
              }
            }
          }
        }
        {
          name: 'forget'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['state/', 'personal/', 'bundles/'] }
            actions: { version: { delete: { daysAfterCreationGreaterThan: 1 } } }
          }
        }
        {
          name: 'drop-bundles'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['bundles/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: bundleDays } } }
          }
        }
      ]
    }
  }
  dependsOn: [blobs] // a rule on versions needs versioning
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobs
  name: 'evidence'
  properties: {
    workspaceId: workspaceId
    logs: [for category in logCategories: { category: category, enabled: true }]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (protectFromDeletion) {
  scope: account
  name: 'evidence'
  properties: { level: 'CanNotDelete', notes: 'Holds evidence. docs/deploy.md, "Leave", says what to do before it is removed.' }
}

output id string = account.id
output name string = account.name
output url string = account.properties.primaryEndpoints.blob
