"""What collecting needs, built once: who asks, whom, and how answers become records. Needs no signing key."""

from dataclasses import dataclass

from shared import layout
from shared.canonical import Json
from shared.collect.arm import Arm
from shared.collect.asked import Failed
from shared.collect.children import workspace
from shared.collect.plan import Unit, is_storage_id
from shared.collect.tls import probe
from shared.collect.unit import Clients, Handshake, Orders, collect_unit
from shared.errors import Misuse
from shared.privacy.disclosures import Disclosures
from shared.records import Origin, line, timestamp
from shared.schedule import Schedule, parse
from shared.seal.store import Store, put_body
from shared.service.answers import Keeper
from shared.service.compose import THREADS, Clock, ProfileInForce, azure_clients, profile_of, random_bytes, store_facts
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Collector:
    """All that collecting needs."""

    store: Store
    facts: Json
    """What the log's first record says of the store."""
    clients: Clients
    keeper: Keeper
    identity: Json
    cloud: str
    profile: ProfileInForce
    now: Clock
    store_id: str | None = None
    """ARM id of the storage account that holds the evidence; None: a folder, or not told."""
    workspace: str | None = None
    """The Log Analytics workspace that is asked about every account (EVIDENCE_WORKSPACE_ID)."""
    threads: int = THREADS

    @property
    def arm(self) -> Arm:
        """Who asks Azure Resource Manager."""
        return self.clients.arm

    def keep_body(self, data: bytes) -> str:
        """Put bytes into the store's bodies."""
        return put_body(self.store, data)

    def stamp(self) -> str:
        """The time, as records have it."""
        return timestamp(self.now())

    def collect_batch(self, sweep: str, unit: Unit, orders: Orders, origin: Origin) -> bool:
        """Ask all that is due for `unit`, and write its batch; False where another worker was faster, whose answers stand.

        Raises:
            Misuse: the sweep was planned by a later version, which asks what this one does not know.
        """
        unknown = orders.unknown(unit.asked)
        if unknown:
            raise Misuse(f"{sweep} was planned by a later version of aoai-evidence (it asks {', '.join(unknown)}): let that one collect it")
        lines = []
        for asked in collect_unit(self.clients, unit, orders, self.keeper.take):
            value = self.keeper.record(asked, unit.name, origin, self.stamp())
            lines.append(line(value, self.keep_body))
        return self.store.put_new(layout.batch(sweep, unit.name), b"\n".join(lines) + b"\n")


def open_collector(settings: Settings, store: Store, now: Clock) -> Collector:
    """Build the collector for a store.

    Raises:
        Misuse: settings, profile or store cannot be what they are said to be.
        Unreachable: nobody is logged in.
    """
    facts = store_facts(store)
    if settings.personal_data != facts["personal_data"]:
        raise Misuse(
            f"this store was made with EVIDENCE_PERSONAL_DATA={facts['personal_data']}, the setting says {settings.personal_data}: "
            "set it as the store has it, or make another store"
        )
    profile = profile_of(settings)
    clients, identity = azure_clients(settings, _handshake(settings.cloud, now))
    keeper = new_keeper(settings, store)
    return Collector(store, facts, clients, keeper, identity, settings.cloud, profile, now, _store_id(settings), _workspace(settings))


def new_keeper(settings: Settings, store: Store) -> Keeper:
    """A keeper that remembers nothing: of a value that was erased, an old one would go on writing the commitment."""
    commit = Disclosures(store, random_bytes).commit if settings.personal_data == "commit" else None
    return Keeper(lambda data: put_body(store, data), commit)


def orders_of(plan: Json) -> Orders:
    """What a plan says that holds for all of its units."""
    return Orders(plan["questions"], plan.get("windows"), plan.get("workspace"))


def _store_id(settings: Settings) -> str | None:
    if settings.store_id and not is_storage_id(settings.store_id):
        raise Misuse(
            f"EVIDENCE_STORE_ID is {settings.store_id!r}: it must be /subscriptions/ID/resourceGroups/GROUP/providers/"
            "Microsoft.Storage/storageAccounts/NAME, as `az storage account show --query id` prints it"
        )
    return settings.store_id


def _workspace(settings: Settings) -> str | None:
    if settings.workspace_id and workspace(settings.workspace_id) is None:
        raise Misuse(
            f"EVIDENCE_WORKSPACE_ID is {settings.workspace_id!r}: it must be /subscriptions/ID/resourceGroups/GROUP/providers/"
            "Microsoft.OperationalInsights/workspaces/NAME, as `az monitor log-analytics workspace show --query id` prints it, or its customer id"
        )
    return settings.workspace_id


def schedule_of(settings: Settings) -> Schedule | None:
    """The schedule that is declared: in EVIDENCE_SCHEDULE, else in the profile.

    Raises:
        Misuse: it is none.
    """
    text = settings.schedule or profile_of(settings).schedule
    return parse(text) if text else None


def _handshake(cloud: str, now: Clock) -> Handshake:
    def shake(url: str) -> Json | Failed:
        probed = probe(url, cloud=cloud, now=now())
        return probed.body if probed.failure is None else Failed(probed.failure, probed.detail or "not a host of this cloud", attempts=1)

    return shake
