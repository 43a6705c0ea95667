"""Network paths to and from the account.

The provider's own policies call an account closed where `publicNetworkAccess` is Disabled or the default action of `networkAcls` is
Deny; both are absent, or Enabled, on an account with default settings.
"""

import ipaddress

from shared.judge.case import Case
from shared.judge.expectation import ANY
from shared.judge.reading import Node, count, names, shown, verb
from shared.judge.verdict import Unclear, not_applicable, unknown, verdict
from shared.model import Judgement, Point

_ACCESS = (None, "enabled", "disabled", "securedbyperimeter")
_ACTIONS = (None, "allow", "deny")


def public_network_access(case: Case) -> list[Judgement]:
    """The account is closed to the public network, or open only to named addresses, as the profile expects."""
    properties = case.properties
    access = _known(properties, "publicNetworkAccess", _ACCESS)
    wanted = case.expect.word("network.public_access")
    because = f"{case.expect.because('network.public_access')}: {wanted}"
    if access == "disabled":
        fact, fine, points = "Access from the public network is disabled", True, [properties.point("publicNetworkAccess")]
    else:
        fact, fine, points = _by_rules(properties, access)
    if wanted == ANY:
        return [not_applicable(case.id, f"{fact}; the profile expects nothing here.", *points)]
    if access == "securedbyperimeter":
        return [unknown(case.id, f"{fact} ({because}).", *points)]
    return [verdict(case.id, fine and (wanted != "disabled" or access == "disabled"), f"{fact} ({because}).", *points)]


def _by_rules(properties: Node, access: str | None) -> tuple[str, bool, list[Point]]:
    """What the network rules make of an account that is not closed: the fact, whether they restrict access, and where that is said."""
    if access == "securedbyperimeter":
        return "Access is left to a network perimeter, whose rules are not collected", False, [properties.point("publicNetworkAccess")]
    rules = properties.child("networkAcls")
    if rules is not None and _known(rules, "defaultAction", _ACTIONS) == "deny":
        return _addresses(rules), not _open_rules(rules), [rules.point("defaultAction"), rules.point()]
    shows = "is enabled" if access == "enabled" else "is not shown as disabled"
    places = [properties.point(name) for name in ("publicNetworkAccess", "networkAcls") if properties.has(name)]
    return f"Access from the public network {shows}, and no rule denies it", False, places or [properties.point()]


def _known(holder: Node, name: str, known: tuple[str | None, ...]) -> str | None:
    value = holder.word(name)
    if value not in known:
        raise Unclear(f"{name} is {shown(value)}, which is not known.", holder.point(name))
    return value


def _addresses(rules: Node) -> str:
    addresses, subnets = _rule_values(rules), rules.children("virtualNetworkRules") or []
    opened = _open_rules(rules)
    if opened:
        return f"Access from the public network is denied by default, but a rule lets everybody in: {names(map(shown, opened))}"
    services = ", and trusted services of Azure pass" if rules.word("bypass") == "azureservices" else ""
    listed = f"{count(len(addresses), 'address rule')} and {count(len(subnets), 'subnet')}"
    return f"Access from the public network is denied but for {listed}{services}"


def _rule_values(rules: Node) -> list[str]:
    return [rule.needed_text("value") for rule in rules.children("ipRules") or []]


def _open_rules(rules: Node) -> list[str]:
    """Address rules that hold half of the internet or more: one that does alone, or all of them together.

    Raises:
        Unclear: one cannot be read as addresses, so what it lets in is not known.
    """
    ranges = {value: _addresses_of(value, rules) for value in _rule_values(rules)}
    wide = [value for value, network in ranges.items() if _is_half((network,)) or value.strip() == "0.0.0.0"]  # noqa: S104
    return wide or (list(ranges) if _is_half(tuple(ranges.values())) else [])


_Addresses = ipaddress.IPv4Network | ipaddress.IPv6Network


def _addresses_of(value: str, rules: Node) -> _Addresses:
    try:
        return ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        raise Unclear(f"The address rule {shown(value)} cannot be read, so whom it lets in is not known.", rules.point("ipRules")) from None


def _is_half(networks: tuple[_Addresses, ...]) -> bool:
    old = ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv4Network))
    new = ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv6Network))
    return sum(one.num_addresses for one in old) >= 2**31 or sum(one.num_addresses for one in new) >= 2**127


def private_endpoints(case: Case) -> list[Judgement]:
    """A private path to the account is approved, where the profile requires one."""
    connections = case.items("privateEndpointConnections")
    states = [_connection_state(connection) for connection in connections]
    points = [point for _, point in states] or [case.list_point("privateEndpointConnections")]
    approved = sum(state == "approved" for state, _ in states)
    fact = f"{count(len(states), 'private endpoint')} {verb(len(states), 'is', 'are')} connected, {approved} approved"
    if case.expect.word("network.private_endpoint") == ANY:
        return [not_applicable(case.id, f"{fact}; the profile expects nothing here.", *points)]
    return [verdict(case.id, approved > 0, f"{fact} ({case.expect.because('network.private_endpoint')}: required).", *points)]


def _connection_state(connection: Node) -> tuple[str, Point]:
    state = connection.needed_child("properties").needed_child("privateLinkServiceConnectionState")
    return state.needed_text("status").casefold(), state.point("status")


def network_perimeter(case: Case) -> list[Judgement]:
    """The account is in a network security perimeter that is enforced, where the profile expects one."""
    configurations = case.items("networkSecurityPerimeterConfigurations")
    modes = [_access_mode(configuration) for configuration in configurations]
    points = [point for _, point in modes] or [case.list_point("networkSecurityPerimeterConfigurations")]
    said = names(mode for mode, _ in modes)
    fact = f"The account is in {count(len(modes), 'network perimeter')} ({said})" if modes else "The account is in no network perimeter"
    if case.expect.word("network.perimeter") == ANY:
        return [not_applicable(case.id, f"{fact}; the profile expects nothing here.", *points)]
    fine = bool(modes) and all(mode == "enforced" for mode, _ in modes)
    return [verdict(case.id, fine, f"{fact} ({case.expect.because('network.perimeter')}: enforced).", *points)]


def _access_mode(configuration: Node) -> tuple[str, Point]:
    association = configuration.needed_child("properties").needed_child("resourceAssociation")
    return association.needed_text("accessMode").casefold(), association.point("accessMode")


def outbound_restricted(case: Case) -> list[Judgement]:
    """The account may open connections only to what is listed, where the profile expects it. The field is absent by default."""
    properties = case.properties
    restricted = properties.flag("restrictOutboundNetworkAccess")
    point = properties.point("restrictOutboundNetworkAccess") if restricted is not None else properties.point()
    fact = "Outbound connections are restricted to a list" if restricted else "Outbound connections are not shown as restricted"
    if case.expect.word("network.outbound") == ANY:
        return [not_applicable(case.id, f"{fact}; the profile expects nothing here.", point)]
    return [verdict(case.id, restricted is True, f"{fact} ({case.expect.because('network.outbound')}: restricted).", point)]
