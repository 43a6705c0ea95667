// The right to list what accounts hold, at one subscription. Apart from the reader's role, since Azure assigns no custom role with data actions
// at a management group: for each further subscription that is watched, by somebody who may assign roles there,
// `az deployment sub create --subscription OTHER --location REGION --template-file infra/inventory.bicep --parameters principalId=…`.
targetScope = 'subscription'

@description('Object id of the app\'s identity: the output APP_IDENTITY_ID of main.bicep.')
param principalId string

@description('Part of the role\'s name: Azure wants names of roles to be unique in the tenant.')
param installation string = '${subscription().subscriptionId} ${principalId}'

var here = subscription().id
var roles = loadJsonContent('roles.json')

resource inventory 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(here, installation, 'inventory')
  properties: {
    roleName: '${roles.inventory.name} (${installation})'
    description: roles.inventory.description
    type: 'CustomRole'
    assignableScopes: [here]
    permissions: [{ actions: roles.inventory.actions, notActions: [], dataActions: roles.inventory.dataActions, notDataActions: [] }]
  }
}

resource inventoryAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(here, principalId, 'inventory')
  properties: {
    roleDefinitionId: inventory.id
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
