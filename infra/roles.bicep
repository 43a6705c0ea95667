// The custom roles, and the one that is assigned at the subscription. What they hold is in roles.json, which scripts/write-infra writes:
// the reader's actions come from the table of endpoints in shared/collect/endpoints.py.
targetScope = 'subscription'

@description('Part of the names: Azure wants names of roles to be unique in the tenant.')
param installation string
param readerRole string
param principalId string

var here = subscription().id
var roles = loadJsonContent('roles.json')
var builtinReader = 'acdd72a7-3385-48ef-bd42-f606fba81ae7'

resource reader 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (readerRole == 'exact') {
  name: guid(here, installation, 'reader')
  properties: {
    roleName: '${roles.reader.name} (${installation})'
    description: roles.reader.description
    type: 'CustomRole'
    assignableScopes: [here]
    permissions: [{ actions: roles.reader.actions, notActions: [], dataActions: roles.reader.dataActions, notDataActions: [] }]
  }
}

resource evidence 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(here, installation, 'evidence')
  properties: {
    roleName: '${roles.evidence.name} (${installation})'
    description: roles.evidence.description
    type: 'CustomRole'
    assignableScopes: [here]
    permissions: [{ actions: roles.evidence.actions, notActions: [], dataActions: roles.evidence.dataActions, notDataActions: [] }]
  }
}

resource keeper 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(here, installation, 'keeper')
  properties: {
    roleName: '${roles.keeper.name} (${installation})'
    description: roles.keeper.description
    type: 'CustomRole'
    assignableScopes: [here]
    permissions: [{ actions: roles.keeper.actions, notActions: [], dataActions: roles.keeper.dataActions, notDataActions: [] }]
  }
}

resource store 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(here, installation, 'store')
  properties: {
    roleName: '${roles.store.name} (${installation})'
    description: roles.store.description
    type: 'CustomRole'
    assignableScopes: [here]
    permissions: [{ actions: roles.store.actions, notActions: [], dataActions: roles.store.dataActions, notDataActions: [] }]
  }
}

resource signer 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(here, installation, 'signer')
  properties: {
    roleName: '${roles.signer.name} (${installation})'
    description: roles.signer.description
    type: 'CustomRole'
    assignableScopes: [here]
    permissions: [{ actions: roles.signer.actions, notActions: [], dataActions: roles.signer.dataActions, notDataActions: [] }]
  }
}

resource readerAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(here, principalId, readerRole, 'reader')
  properties: {
    roleDefinitionId: readerRole == 'exact' ? reader.id : subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtinReader)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

output ids object = { evidence: evidence.id, keeper: keeper.id, store: store.id, signer: signer.id }
