"""Every path of the store, in one place; used by those who write and by those who read (docs/format.md section 1).

Paths are relative to the store, with `/` between parts, whatever the store is made of.
"""

import re

EVIDENCE = "evidence/"
STATE = "state/"
PERSONAL = "personal/"
BUNDLES = "bundles/"

TILE_WIDTH = 256
"""Hashes in a full tile, and records in a full entry bundle (c2sp.org/tlog-tiles)."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}", re.IGNORECASE)

_ATTESTATION = re.compile(r"([0-9]{20})\.([A-Za-z0-9][A-Za-z0-9._-]{0,127})\.(tsr|cosig)")

LOG = EVIDENCE + "log/"
COMMITS = LOG + "commit/"
CHECKPOINTS = LOG + "checkpoint/"
BATCHES = EVIDENCE + "batch/"
BODIES = EVIDENCE + "body/sha256/"

LATEST_CHECKPOINT = STATE + "checkpoint"
SEQUENCER_HINT = STATE + "sequencer.json"
SWEEP_SUMMARIES = STATE + "sweep/"
NEWEST_SWEEP = STATE + "newest.json"
OPEN_SWEEPS = STATE + "open/"
PROFILE_IN_FORCE = STATE + "profile.json"

COLLECT_QUEUE = "collect-unit"
CHANGE_QUEUE = "on-change"
BUNDLE_QUEUE = "build-bundle"
QUEUES = (COLLECT_QUEUE, CHANGE_QUEUE, BUNDLE_QUEUE)
"""The queues that hold work."""
POISON_SUFFIX = "-poison"
"""Beside each queue: what was given up."""

SEQUENCER_LOCK = STATE + "sequencer.lock"

PLAN_HEADERS = STATE + "plan/"
TALLIES = STATE + "tally/"
UNITS = STATE + "unit/"
BUNDLE_REQUESTS = STATE + "bundle/"
ALERTS = STATE + "alert/"
OUTBOX = STATE + "outbox/"
WAITING, SENT, DEAD = "waiting", "sent", "dead"
"""What becomes of an alert, each a folder of the outbox."""
EXPIRED = STATE + "expired.json"
"""The waivers of which it was told that their time is over."""
DELIVERING_LOCK = STATE + "delivering.lock"
EVENTS = STATE + "event/"
WATCH = STATE + "watch.json"
ATTESTED = STATE + "attested.json"
ATTESTING_LOCK = STATE + "attesting.lock"

BIRTH = "init"
"""The sweep name under which the first record of a log waits to be sealed."""

KEY_CHANGES = "keys"
"""The sweep name under which changes of the signing keys wait to be sealed. They have no marker: each has a number."""

BY_EVENT = "-event-"
"""In the name of a sweep of one account that an event caused. A busy estate has thousands: they are no landmarks, and no answer to "the last sweep"."""

PLAN = "plan"
CLOSED = "closed"
EVENT = "event"
"""The batch of an event that Azure sent."""
FINDINGS_SUFFIX = ".findings"


def is_name(text: str) -> bool:
    """Whether this can be one part of a path: the name of a sweep or unit of ours."""
    return _NAME.fullmatch(text) is not None and ".." not in text


def checked_name(name: str) -> str:
    """Return `name` if it can be one part of a path.

    Raises:
        ValueError: it could climb out of its folder, or is no name a sweep or unit of ours has.
    """
    if not is_name(name):
        raise ValueError(f"not a name for a path: {name!r}")
    return name


def commit(seq: int) -> str:
    """The commit numbered `seq` (from 1)."""
    return f"{COMMITS}{seq:012d}.json"


def checkpoint(size: int) -> str:
    """The signed checkpoint of the log at `size` records."""
    return f"{CHECKPOINTS}{size:020d}"


def attestation(size: int, name: str, ending: str) -> str:
    """What somebody else said of a checkpoint: `tsr` of an authority, `cosig` of a witness."""
    return f"{checkpoint(size)}.{checked_name(name)}.{ending}"


def attestation_parts(name: str) -> tuple[int, str, str]:
    """Size, who and ending of a file beside a checkpoint, by its name in that folder.

    Raises:
        ValueError: it is not the name of one.
    """
    found = _ATTESTATION.fullmatch(name)
    if found is None:
        raise ValueError(f"not the name of an attestation: {name!r}")
    return int(found[1]), checked_name(found[2]), found[3]


def tile_number(number: int) -> str:
    """The index of a tile as path elements: 1234067 is `x001/x234/067` (c2sp.org/tlog-tiles)."""
    parts = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03d}")
    return "/".join(reversed(parts))


def tile(level: int | str, number: int, width: int = TILE_WIDTH) -> str:
    """The tile at `level` (or of `entries`), relative to the log: `tile/0/x001/234` or `tile/0/x001/234.p/17`."""
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{tile_number(number)}{partial}"


def batch(sweep: str, name: str) -> str:
    """The batch of records that one unit of work of `sweep` brought."""
    return f"{BATCHES}{checked_name(sweep)}/{checked_name(name)}.jsonl"


def key_change(number: int) -> str:
    """The batch of the change of keys numbered `number` (from 1, without a gap): who would know the keys needs no list of batches."""
    return batch(KEY_CHANGES, f"{number:06d}")


def act(kind: str, number: int) -> str:
    """The batch of the act of a person numbered `number` (from 1, without a gap, of each kind: `hold`, `waiver`, …)."""
    return batch(act_sweep(kind, number), kind)


def act_sweep(kind: str, number: int) -> str:
    """The sweep name under which that act waits to be sealed."""
    return f"{kind}-{number:06d}"


def acts_noted(kind: str) -> str:
    """Where it is noted which records of the log the acts of a kind are."""
    return f"{STATE}acts/{checked_name(kind)}.json"


def hold(number: int) -> str:
    """The batch of the act of holding, or releasing, numbered `number`."""
    return act("hold", number)


def batch_parts(path: str) -> tuple[str, str]:
    """Sweep and name of the batch at `path`.

    Raises:
        ValueError: the path is not that of a batch.
    """
    if not (path.startswith(BATCHES) and path.endswith(".jsonl")):
        raise ValueError(f"not the path of a batch: {path!r}")
    sweep, slash, name = path[len(BATCHES) : -len(".jsonl")].partition("/")
    if not slash:
        raise ValueError(f"not the path of a batch: {path!r}")
    return checked_name(sweep), checked_name(name)


def body(digest: str) -> str:
    """The body with this SHA-256 (64 lower-case hexadecimal digits)."""
    return f"{BODIES}{digest[:2]}/{digest}"


def open_sweep(sweep: str) -> str:
    """The marker of a sweep whose batches are not all sealed yet."""
    return OPEN_SWEEPS + checked_name(sweep)


def plan_header(sweep: str) -> str:
    """What every unit of a sweep needs to know of its plan, which itself grows with the estate."""
    return f"{PLAN_HEADERS}{checked_name(sweep)}.json"


def alert(sweep: str) -> str:
    """Stands while a sweep was closed, or is being closed, and nobody was told what it came to."""
    return ALERTS + checked_name(sweep)


def outbox(folder: str, receiver: str, key: str = "") -> str:
    """An alert to a receiver; without a key: all of them."""
    return f"{OUTBOX}{folder}/{checked_name(receiver)}/{checked_name(key) if key else ''}"
def events_of(sweep: str) -> str:
    """Where it is noted which events caused a sweep."""
    return f"{EVENTS}{checked_name(sweep)}/"


def event_of(sweep: str, event: str) -> str:
    """The note that `event`, the sweep name under which it waits to be sealed, caused `sweep`."""
    return events_of(sweep) + checked_name(event)


def tallies(sweep: str) -> str:
    """Where it is counted what judging an open sweep came to so far."""
    return f"{TALLIES}{checked_name(sweep)}/"


def tally(sweep: str, unit: str) -> str:
    """What one run of judging came to, which began with `unit`."""
    return f"{tallies(sweep)}{checked_name(unit)}.json"


def bundle_request(name: str) -> str:
    """What was asked for, and how far it is."""
    return f"{BUNDLE_REQUESTS}{checked_name(name)}.json"


def built_bundle(name: str) -> str:
    """The bundle that was built for a request."""
    return f"{BUNDLES}{checked_name(name)}.zip"


def sweep_summary(sweep: str) -> str:
    """What a closed sweep came to: where its records are, how many findings of which status."""
    return f"{SWEEP_SUMMARIES}{checked_name(sweep)}.json"


def sweep_index(year: str) -> str:
    """What the closed sweeps of a year came to, in one blob."""
    return f"{STATE}sweeps/{checked_name(year)}.json"


def unit_state(unit: str) -> str:
    """The latest answers about a unit: what the next sweep's changes are measured against."""
    return f"{UNITS}{checked_name(unit)}.json"


def lives(unit: str) -> str:
    """What reconciliation keeps in mind of a unit: its last inventories, what is gone and not explained yet."""
    return f"{STATE}lives/{checked_name(unit)}.json"


def alive(unit: str) -> str:
    """What a unit holds, each with the inventory that saw it first."""
    return f"{STATE}alive/{checked_name(unit)}.json"
