"""Where in the portal an alert can be looked at: the page of its resource, or all changes of that day. Pure.

A link is added when an alert is sent, and is no part of what its key follows from: the portal may move.
"""

from urllib.parse import urlencode

from shared.canonical import Json


def linked(alert: Json, portal: str | None) -> Json:
    """The alert with `link`, where there is a portal. `portal`: its address, with a slash at the end."""
    if portal is None:
        return alert
    day = {"from": alert["at"][:10], "to": alert["at"][:10]}
    if alert["resource"] is not None and alert["count"] == 1:
        return alert | {"link": f"{portal}resource?{urlencode({'id': alert['resource'], **day})}"}
    return alert | {"link": f"{portal}changes?{urlencode(day)}" if alert["records"] else portal}
