// One rule for each line that the app writes when somebody must act (shared/alarms.py, from which alarms.json is written), and one for
// an app that says nothing at all. Every 15 minutes over the last 30: lines that arrive late are seen, and a rule that has fired says so
// once, not at every look.
param location string
param tags object
param token string
param workspaceId string
param actionGroupId string

var alarms = loadJsonContent('alarms.json')

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for alarm in alarms: {
  name: '${toLower(alarm.id)}-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: alarm.id
    description: alarm.meaning
    severity: alarm.severity
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT30M'
    autoMitigate: true
    skipQueryValidation: true // the table is there when the first line has arrived
    criteria: {
      allOf: [
        {
          query: 'AppTraces | where Message has "${alarm.id}"'
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: [actionGroupId] }
  }
}]

// Whoever is dead raises no alarm: this one is raised by silence. Both timers must have succeeded within the hour.
resource silence 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'evidence-silence-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'The evidence app is silent'
    description: 'The functions seal and watch have not both succeeded within an hour: the app does not run, or cannot reach its store.'
    severity: 0
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    autoMitigate: true
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: 'AppRequests | where Success == true and Name in~ ("seal", "watch") | summarize Running = dcount(Name) | where Running < 2'
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: [actionGroupId] }
  }
}
