// The function app, on Flex Consumption. Settings that Flex has replaced (FUNCTIONS_WORKER_RUNTIME, WEBSITE_RUN_FROM_PACKAGE, …) are in
// functionAppConfig. Every EVIDENCE_ setting that shared/settings.py reads is set here, empty where nothing was chosen.
param location string
param tags object
param token string
param identityId string
param identityClientId string
param packageContainerUrl string
param componentName string
param runtimeAccount string
param subnetId string
param authClientId string
param instanceMemoryMB int
param maximumInstanceCount int
param store string
param storeId string
param signingKey string
param vaultUrl string
param schedule string
param subscriptions string
param workspaceId string
param personalData string
param profilePath string
param readsPerSecond string
param cloud string
param timestampUrls string
param witnesses string
param copies string
param copySecretName string
param alertWebhooks string
param alertSeverity string
param alertSecretName string
param alertReceiversPath string
param auditors string
param alertSecretsName string
param heartbeatUrl string
param secondSigningKeySecretName string

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: runtimeAccount
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: 'func-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: { minTlsVersion: '1.2', ftpsState: 'Disabled', alwaysOn: false }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: { instanceMemoryMB: instanceMemoryMB, maximumInstanceCount: maximumInstanceCount }
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'appsettings'
  properties: {
    // The host's own storage, by identity.
    AzureWebJobsStorage__blobServiceUri: hostAccount.properties.primaryEndpoints.blob
    AzureWebJobsStorage__queueServiceUri: hostAccount.properties.primaryEndpoints.queue
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    // The queues that hold the work: `connection="EvidenceQueues"` of the triggers, and what the app sends to.
    EvidenceQueues__queueServiceUri: hostAccount.properties.primaryEndpoints.queue
    EvidenceQueues__credential: 'managedidentity'
    EvidenceQueues__clientId: identityClientId
    // Which of its identities azure-identity is to use.
    AZURE_CLIENT_ID: identityClientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    EVIDENCE_STORE: store
    EVIDENCE_STORE_ID: storeId
    EVIDENCE_SIGNING_KEY: signingKey
    EVIDENCE_SECOND_SIGNING_KEY: empty(secondSigningKeySecretName) ? '' : '${vaultUrl}secrets/${secondSigningKeySecretName}'
    EVIDENCE_SCHEDULE: schedule // the timer is %EVIDENCE_SCHEDULE%; times are UTC as long as nobody sets WEBSITE_TIME_ZONE
    EVIDENCE_SUBSCRIPTIONS: subscriptions
    EVIDENCE_WORKSPACE_ID: workspaceId
    EVIDENCE_PERSONAL_DATA: personalData
    EVIDENCE_PROFILE: profilePath
    EVIDENCE_READS_PER_SECOND: readsPerSecond
    EVIDENCE_CLOUD: cloud
    EVIDENCE_TSA_URL: timestampUrls
    EVIDENCE_WITNESSES: witnesses
    EVIDENCE_COPIES: copies
    EVIDENCE_COPY_SECRET: empty(copySecretName) ? '' : '@Microsoft.KeyVault(SecretUri=${vaultUrl}secrets/${copySecretName})'
    EVIDENCE_ALERT_WEBHOOKS: alertWebhooks
    EVIDENCE_ALERT_SEVERITY: alertSeverity
    EVIDENCE_ALERT_SECRET: empty(alertSecretName) ? '' : '@Microsoft.KeyVault(SecretUri=${vaultUrl}secrets/${alertSecretName})'
    EVIDENCE_ALERT_RECEIVERS: alertReceiversPath
    EVIDENCE_AUDITORS: auditors
    EVIDENCE_ALERT_SECRETS: empty(alertSecretsName) ? '' : '@Microsoft.KeyVault(SecretUri=${vaultUrl}secrets/${alertSecretsName})'
    EVIDENCE_HEARTBEAT_URL: heartbeatUrl
  }
}

// Entra ID decides who may call at all, before the app sees a request; which role a caller has is decided by the app
// (functions/access.py). Without a client id there is nobody to log in with: every request is refused.
resource authentication 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: ['/api/live'] // for probes; answers 204 and nothing else
    }
    httpSettings: { requireHttps: true }
    login: { tokenStore: { enabled: false } }
    identityProviders: empty(authClientId) ? {} : {
      azureActiveDirectory: {
        enabled: true
        registration: { clientId: authClientId, openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0' }
        validation: { allowedAudiences: [authClientId, 'api://${authClientId}'] }
      }
    }
  }
  dependsOn: [settings] // Azure refuses two changes of one site's configuration at once
}

// Whoever holds a publishing password could put other code in the place of the one that signs. So there is none: azd and Core Tools log in.
resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'ftp'
  properties: { allow: false }
  dependsOn: [authentication]
}

resource noDeployPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'scm'
  properties: { allow: false }
  dependsOn: [noFtpPassword]
}

output name string = site.name
output host string = site.properties.defaultHostName
