// Private networking: the app joins a virtual network, and reaches storage and vault through endpoints in it. The app's own HTTP endpoint
// stays public, behind Entra ID; Azure Resource Manager, timestamp authorities and witnesses are reached over the internet as before.
param location string
param tags object
param token string
param evidenceAccountId string
param runtimeAccountId string
param vaultId string

var zones = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.queue.${environment().suffixes.storage}'
  'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
]

var endpoints = [
  { name: 'evidence-blob', target: evidenceAccountId, group: 'blob', zone: 0 }
  { name: 'runtime-blob', target: runtimeAccountId, group: 'blob', zone: 0 }
  { name: 'runtime-queue', target: runtimeAccountId, group: 'queue', zone: 1 }
  { name: 'vault', target: vaultId, group: 'vault', zone: 2 }
]

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: 'vnet-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.70.0.0/16'] }
    // Subnets are part of the network: as resources of their own, deploying again would take them away and put them back.
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.70.0.0/24'
          defaultOutboundAccess: true // the app asks Azure Resource Manager over the internet
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: '10.70.1.0/24', privateEndpointNetworkPolicies: 'Disabled' }
      }
    ]
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [for name in zones: {
  name: name
  location: 'global'
  tags: tags
}]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (name, index) in zones: {
  parent: zone[index]
  name: 'evidence'
  location: 'global'
  tags: tags
  properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
}]

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = [for each in endpoints: {
  name: 'pe-${each.name}-${token}'
  location: location
  tags: tags
  properties: {
    subnet: { id: '${network.id}/subnets/endpoints' }
    privateLinkServiceConnections: [
      { name: each.name, properties: { privateLinkServiceId: each.target, groupIds: [each.group] } }
    ]
  }
}]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [for (each, index) in endpoints: {
  parent: endpoint[index]
  name: 'default'
  properties: { privateDnsZoneConfigs: [{ name: 'default', properties: { privateDnsZoneId: zone[each.zone].id } }] }
}]

output appSubnetId string = '${network.id}/subnets/app'
