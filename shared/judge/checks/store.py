"""The storage account that holds the evidence, as Azure Resource Manager describes it: who could change what is kept there.

Judged once for each sweep, out of the answers that planning asked for where EVIDENCE_STORE_ID names the account. What a blob itself says
of its protection is another control, `store-worm`: each shows what the other cannot.
"""

from shared.judge.checks.collection import Collection
from shared.judge.expectation import ANY, Expectation
from shared.judge.reading import Node, answered, shown, single
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, satisfied
from shared.model import Evidence, Judgement, Point

STORE_KINDS = ("storageAccount", "blobService", "evidenceContainer", "evidenceImmutability")
"""The questions of the endpoint table that are asked about it."""

Fault = tuple[str, Point]
"""What is not as it should be, and where that stands."""


def store_configuration(sweep: Collection, expect: Expectation) -> list[Judgement]:
    """The evidence container is under a locked policy, and nobody reaches the account with a shared key or with no login at all."""
    if sweep.storage_source != "storage account":
        return [not_applicable(None, "The evidence is in a directory, which has no configuration of its own.", sweep.point)]
    if sweep.store is None:
        raise Unclear("Not collected: EVIDENCE_STORE_ID does not name the storage account that holds the evidence.", sweep.point)
    read = [Point(answer.record) for answer in sweep.store.answers.values()]
    faults = [*_policy_faults(sweep.store), *_access_faults(sweep.store)]
    if expect.word("collection.worm") == ANY:
        found = "; ".join(fault for fault, _ in faults) or "the policy is locked, keys and public access are off"
        return [not_applicable(None, f"Of the evidence store: {found}; the profile expects nothing here.", *read)]
    if faults:
        because = expect.because("collection.worm")
        return [
            not_satisfied(
                None, f"Of the evidence store: {'; '.join(fault for fault, _ in faults)} ({because}).", *(p for _, p in faults), *read
            )
        ]
    return [
        satisfied(None, "The evidence container has a locked policy, and the account takes no shared keys and no anonymous readers.", *read)
    ]


def _policy_faults(store: Evidence) -> list[Fault]:
    properties = single(answered(store, "evidenceImmutability")).needed_child("properties")
    state = properties.word("state")
    # Azure answers with a period of 0 days where a container has no policy.
    if state is None or properties.value.get("immutabilityPeriodSinceCreationInDays") in (None, 0):
        return [("the evidence container has no retention policy", properties.point())]
    if state == "locked":
        return []
    if state == "unlocked":
        return [("its retention policy is not locked", properties.point("state"))]
    raise Unclear(f"The state of the retention policy is {shown(state)}, which is not known.", properties.point("state"))


def _access_faults(store: Evidence) -> list[Fault]:
    account = single(answered(store, "storageAccount")).needed_child("properties")
    container = single(answered(store, "evidenceContainer")).needed_child("properties")
    faults = []
    if account.flag("allowSharedKeyAccess") is not False:  # absent means allowed
        faults.append(
            (
                "the account takes shared keys",
                account.point("allowSharedKeyAccess") if account.has("allowSharedKeyAccess") else account.point(),
            )
        )
    if account.flag("supportsHttpsTrafficOnly") is False:
        faults.append(("the account answers without TLS", account.point("supportsHttpsTrafficOnly")))
    if account.flag("allowBlobPublicAccess") is not False and _public(container):
        faults.append(("the evidence container is open to anybody", container.point("publicAccess")))
    return faults


def _public(container: Node) -> bool:
    return container.word("publicAccess") not in (None, "none")
