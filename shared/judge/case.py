"""What the checks of one account read: its evidence, what is expected of it, and what several checks need, worked out once.

Everything that reads raises `Unclear` where the evidence does not allow a conclusion.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from shared.judge.expectation import Expectation
from shared.judge.location import Place, locate
from shared.judge.profile import Profile, effective
from shared.judge.reading import Node, answered, listed, shown, single
from shared.judge.verdict import Unclear, not_applicable, unknown
from shared.model import Answer, Evidence, Judgement, Point

FOUNDRY = "aiservices"
"""The kind of account that has projects, connections and capability hosts."""


@dataclass(frozen=True)
class Deployment:
    """One deployment of a model. A dozen controls read it, so what they read is worked out once."""

    id: str
    name: str
    node: Node
    twice: bool = False
    """Whether the list holds its id more than once."""

    @cached_property
    def properties(self) -> Node:
        """`properties`, which every deployment has."""
        return self.node.needed_child("properties")

    @cached_property
    def model(self) -> Node:
        """`properties.model`."""
        return self.properties.needed_child("model")

    @cached_property
    def sku(self) -> str:
        """The name of its SKU, which is the deployment type."""
        return self.node.needed_child("sku").needed_text("name")

    @cached_property
    def sku_point(self) -> Point:
        """Where the SKU is."""
        return self.node.point("sku", "name")

    @cached_property
    def is_fine_tuned(self) -> bool:
        """Whether what is served is recognisably a customised model: `.ft-` in its name, a source, or the type that serves no other."""
        model = self.model
        named = model.needed_text("name").casefold()
        return ".ft-" in named or model.has("source") or model.has("sourceAccount") or self.sku.casefold() == "developertier"


@dataclass(frozen=True, slots=True)
class FilterPolicy:
    """A content filter policy, its filters by (normalised name, source)."""

    name: str
    node: Node
    base: str | None
    filters: dict[tuple[str, str], list[Node]] = field(default_factory=dict)
    kept: dict[Hashable, object] = field(default_factory=dict)
    """What checks have worked out of it, for the next deployment."""


class Case:
    """One account before its checks."""

    def __init__(self, evidence: Evidence, profile: Profile, cloud: str) -> None:
        """Nothing is read until a check asks for it."""
        self.evidence = evidence
        self.profile = profile
        self.cloud = cloud
        self.id = evidence.resource
        self.expect = effective(profile, evidence.resource)

    def expectation(self, resource: str) -> Expectation:
        """What is expected of `resource`, which lies in the account."""
        return effective(self.profile, resource) if self.profile.overrides else self.expect

    def items(self, kind: str) -> list[Node]:
        """The members of the list that answers `kind`."""
        return listed(answered(self.evidence, kind))

    def list_point(self, kind: str) -> Point:
        """Where the members of the list that answers `kind` would be."""
        return Point(answered(self.evidence, kind).record, 0, "/value")

    @cached_property
    def account(self) -> Node:
        """The account, as `az cognitiveservices account show` prints it."""
        account = single(answered(self.evidence, "account"))
        if account.word("id") != self.id.casefold():
            raise Unclear("The answer does not say that it is about this account.", account.point(*(["id"] if account.has("id") else [])))
        return account

    @cached_property
    def properties(self) -> Node:
        """`properties` of the account: without them nothing that is absent means anything."""
        return self.account.needed_child("properties")

    @cached_property
    def is_foundry(self) -> bool:
        """Whether the account is of the kind that has projects."""
        return self.account.needed_text("kind").casefold() == FOUNDRY

    @cached_property
    def location(self) -> str:
        """The account's region, as the account says it."""
        return self.account.needed_text("location")

    @cached_property
    def place(self) -> Place:
        """What is known of the account's region."""
        return locate(self.location, self.locations)

    @cached_property
    def locations(self) -> Answer | None:
        """The subscription's own list of locations, where it was answered."""
        context = self.evidence.context
        answer = context.answer("locations") if context is not None else None
        return answer if answer is not None and answer.failure is None else None

    @property
    def location_point(self) -> Point:
        """Where the region is."""
        return self.account.point("location")

    @cached_property
    def deployments(self) -> tuple[Deployment, ...]:
        """The deployments that can be told apart: those with an id under the account's."""
        return self._deployments[0]

    @cached_property
    def nameless(self) -> tuple[Node, ...]:
        """What stands in the list of deployments without being one of this account's."""
        return self._deployments[1]

    @cached_property
    def _deployments(self) -> tuple[tuple[Deployment, ...], tuple[Node, ...]]:
        known: dict[str, Deployment] = {}
        nameless: list[Node] = []
        prefix = f"{self.id}/deployments/"
        for node in self.items("deployments"):
            raw = node.value.get("id")
            id_ = raw.lower() if isinstance(raw, str) else ""
            name = id_.removeprefix(prefix)
            if not id_.startswith(prefix) or not name or "/" in name:
                nameless.append(node)
            else:
                known[id_] = Deployment(id_, name, node, id_ in known)
        return tuple(known[id_] for id_ in sorted(known)), tuple(nameless)

    def deployment_named(self, name: str) -> Deployment | None:
        """The deployment of this name, whatever its casing."""
        wanted = f"{self.id}/deployments/{name.lower()}"
        return next((deployment for deployment in self.deployments if deployment.id == wanted), None)

    @cached_property
    def policies(self) -> dict[str, list[Node]]:
        """Content filter policies by name in lower case."""
        found: dict[str, list[Node]] = {}
        for node in self.items("raiPolicies"):
            found.setdefault(node.needed_text("name").casefold(), []).append(node)
        return found

    def policy(self, deployment: Deployment) -> FilterPolicy:
        """The content filter policy that a deployment names."""
        name = deployment.properties.text("raiPolicyName")
        if name is None:
            raise Unclear("The deployment names no content filter policy (raiPolicyName is absent).", deployment.node.point("properties"))
        if name.casefold() not in self._read_policies:
            self._read_policies[name.casefold()] = self._read_policy(name, deployment)
        return self._read_policies[name.casefold()]

    @cached_property
    def _read_policies(self) -> dict[str, FilterPolicy]:
        return {}

    def _read_policy(self, name: str, deployment: Deployment) -> FilterPolicy:
        found = self.policies.get(name.casefold(), [])
        named = deployment.node.point("properties", "raiPolicyName")
        if not found:
            raise Unclear(f"The list of content filter policies does not hold {shown(name)}, so what it filters cannot be shown.", named)
        if len(found) > 1:
            raise Unclear(f"The list of content filter policies holds {shown(name)} twice.", *(node.point() for node in found))
        properties = found[0].needed_child("properties")
        policy = FilterPolicy(name, properties, properties.text("basePolicyName"))
        for entry in properties.needed_children("contentFilters"):
            key = (normal(entry.needed_text("name")), entry.needed_text("source").casefold())
            policy.filters.setdefault(key, []).append(entry)
        return policy


@lru_cache(maxsize=256)
def normal(name: str) -> str:
    """The name of a filter without casing and punctuation, which differ between api-versions: `Protected Material Text`, `self_harm`."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


JudgeDeployment = Callable[[Case, Deployment, Expectation], Judgement]
Applies = Callable[[Deployment], bool]


def each_deployment(case: Case, judge: JudgeDeployment, *, applies: Applies | None = None, otherwise: str = "") -> Iterable[Judgement]:
    """One judgement per deployment that the control applies to; one for the account where there is none.

    Raises:
        Unclear: the deployments could not be listed.
    """
    judgements = [_judged(case, deployment, judge) for deployment in case.deployments if applies is None or _applies(deployment, applies)]
    if case.nameless:
        reason = "The list of deployments holds an entry that is not a deployment of this account."
        judgements.append(unknown(case.id, reason, *(node.point() for node in case.nameless)))
    if judgements:
        return judgements
    return [not_applicable(case.id, otherwise if case.deployments and otherwise else "The account has no deployments.")]


def _applies(deployment: Deployment, applies: Applies) -> bool:
    try:
        return applies(deployment)
    except Unclear:
        return True  # judging it will say why it cannot be told


def _judged(case: Case, deployment: Deployment, judge: JudgeDeployment) -> Judgement:
    if deployment.twice:
        return unknown(deployment.id, "The list of deployments holds this deployment more than once.", deployment.node.point())
    try:
        return judge(case, deployment, case.expectation(deployment.id))
    except Unclear as unclear:
        return unclear.judgement(deployment.id)
