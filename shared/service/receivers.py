"""Who is told of alerts: the webhooks of EVIDENCE_ALERT_WEBHOOKS, and the receivers that the file of EVIDENCE_ALERT_RECEIVERS declares.

Every kind is reached by the same guarded POST: https alone, no redirect, no proxy, and no address that is not on the internet unless the file
says `private`. Secrets come from settings, and from nowhere else.
"""

from shared.collect.clouds import CLOUDS
from shared.deliver.alerts import event_grid, slack, teams
from shared.deliver.alerts.channel import Channel, Dress
from shared.deliver.alerts.receivers import Declared, read_receivers
from shared.deliver.alerts.route import Route
from shared.deliver.alerts.webhook import signed
from shared.errors import Misuse
from shared.seal.attestor import Owed
from shared.seal.post import Post
from shared.seal.webhook import is_unresolved
from shared.service.attestors import authorities, named_after
from shared.service.inputs import read_input
from shared.settings import SECRET_LENGTH, Settings, is_elsewhere, own_path

SIGNED_WITH = "EVIDENCE_ALERT_SECRET"
"""The setting that signs where a receiver names no secret of its own."""
NAMED = "EVIDENCE_ALERT_SECRETS"


def receivers(settings: Settings) -> list[Channel]:
    """All of them.

    Raises:
        Misuse: one of them cannot be what the settings and the file say.
    """
    secret, route = settings.alert_secret or "", Route(severity=settings.alert_severity)
    found = [Channel(named_after(url), "webhook", url, _post(settings), signed(secret, SIGNED_WITH), route, settings.portal) for url in settings.alert_webhooks]
    if settings.alert_receivers is None:
        return found
    path = own_path(settings.alert_receivers)
    data = read_input(path, "the list of receivers", "EVIDENCE_ALERT_RECEIVERS names it")
    found += [_channel(one, path.name, settings) for one in read_receivers(data, path.name, lambda url: is_elsewhere(url, settings.cloud))]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise Misuse(f"{path.name}: two receivers are called {name}: give this one another name")
    return found


def _post(settings: Settings, *, private: bool = False) -> Post:
    return Post(ca_file=authorities(settings), proxies=False, public=settings.cloud != "loopback" and not private)


def _channel(one: Declared, file: str, settings: Settings) -> Channel:
    where = f"{file}: receiver {one.name}"
    post, url, setting, secret = _post(settings, private=one.private), one.address or "", SIGNED_WITH, settings.alert_secret or ""
    if one.secret:
        known, setting = dict(settings.alert_secrets), f"{one.secret} of {NAMED}"
        secret = known.get(one.secret) or known.get("*", "")
        if not secret:
            raise Misuse(f"{where}: `secret` is {one.secret}, which {NAMED} does not have: add {one.secret}=SECRET there")
    if one.kind in ("teams", "slack"):
        dress: Dress = teams.card if one.kind == "teams" else slack.message
        if one.secret and is_unresolved(secret):
            return Channel(one.name, one.kind, "", post, _unreadable(setting), one.route, settings.portal)
        if not is_elsewhere(url := url or secret.strip(), settings.cloud):
            raise Misuse(f"{where}: {setting} is no address: it must be all of the webhook's address, https://…, and nothing more")
        return Channel(one.name, one.kind, url, post, dress, one.route, settings.portal)
    if one.kind == "event-grid":
        return Channel(one.name, one.kind, event_grid.endpoint(url), post, _event(one, url, secret, setting, where, settings.cloud), one.route, settings.portal)
    if len(secret) < SECRET_LENGTH:
        raise Misuse(f"{where}: {setting} is not set, or shorter than {SECRET_LENGTH} characters: it signs what goes there")
    return Channel(one.name, one.kind, url, post, signed(secret, setting), one.route, settings.portal)


def _event(one: Declared, url: str, secret: str, setting: str, where: str, cloud: str) -> Dress:
    """Alerts for a topic: with its key, or with a token of this identity."""
    if cloud != "loopback" and not event_grid.is_topic(url):
        raise Misuse(f"{where}: address: expected the endpoint of a custom topic, https://NAME.REGION.eventgrid.azure.net/api/events: keys and tokens go there alone")
    if one.secret and is_unresolved(secret):
        return _unreadable(setting)
    if one.secret:
        if not (secret.isascii() and secret.isprintable()):
            raise Misuse(f"{where}: {setting} is no key of a topic: it has other characters than ASCII; copy it from the topic's access keys")
        return event_grid.event(lambda: {"aeg-sas-key": secret})
    if cloud == "loopback":
        return event_grid.event(lambda: {"Authorization": "Bearer local"})
    if cloud != "public":
        raise Misuse(f"{where}: without `secret` it is sent with a token, which is for EVIDENCE_CLOUD=public alone: name the secret that holds the topic's key")
    return event_grid.event(lambda: event_grid.token(CLOUDS[cloud].authority))


def _unreadable(setting: str) -> Dress:
    """For a secret that the function app has not been given: that is told each time, and everything else goes on."""

    def dress(_alert: object, _now: object) -> tuple[bytes, dict[str, str]]:
        raise Owed(f"{setting} could not be read from the vault: may the app read that secret?")

    return dress
