// Deploy to one subscription and watch many: the reader's role, at a management group. Deployed by itself, by somebody who may assign roles
// there: `az deployment mg create --management-group-id GROUP --location REGION --template-file infra/reader.bicep --parameters principalId=…`.
targetScope = 'managementGroup'

@description('Object id of the app\'s identity: the output APP_IDENTITY_ID of main.bicep.')
param principalId string

@allowed(['exact', 'builtin'])
@description('As in main.bicep.')
param readerRole string = 'exact'

var here = managementGroup().id
var roles = loadJsonContent('roles.json')
var builtinReader = 'acdd72a7-3385-48ef-bd42-f606fba81ae7'

resource reader 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (readerRole == 'exact') {
  name: guid(here, principalId, 'reader')
  properties: {
    roleName: '${roles.reader.name} (${managementGroup().name} ${principalId})'
    description: roles.reader.description
    type: 'CustomRole'
    assignableScopes: [here]
    permissions: [{ actions: roles.reader.actions, notActions: [], dataActions: roles.reader.dataActions, notDataActions: [] }]
  }
}

resource readerAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(here, principalId, readerRole, 'reader')
  properties: {
    roleDefinitionId: readerRole == 'exact' ? reader.id : tenantResourceId('Microsoft.Authorization/roleDefinitions', builtinReader)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
