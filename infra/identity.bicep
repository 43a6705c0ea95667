// Two identities, since they need nothing in common: the app's, and the one by which Event Grid puts events into a queue.
param location string
param tags object
param token string

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-app-${token}'
  location: location
  tags: tags
}

resource events 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-events-${token}'
  location: location
  tags: tags
}

output id string = app.id
output principalId string = app.properties.principalId
output clientId string = app.properties.clientId
output eventsId string = events.id
output eventsPrincipalId string = events.properties.principalId
