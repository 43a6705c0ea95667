"""The one place that builds the object graph: store, signer, pipeline, clock, randomness."""

import base64
import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared import __version__, layout
from shared.canonical import Json, canonical, sha256
from shared.errors import Misuse, Unreachable, VerificationError
from shared.judge.profile import DEFAULT, Profile, canonical_profile, effective
from shared.judge.profile_text import read_profile
from shared.seal.keys import Keys, read_keys
from shared.seal.log import Log, first_record, open_log
from shared.seal.pen import Pen
from shared.seal.sequencer import Sequencer
from shared.seal.signing import Signer
from shared.seal.store import Store
from shared.service.inputs import read_input
from shared.service.signers import FIRST, Place, first_place, signers
from shared.service.stores import store_of
from shared.settings import Settings, own_path

if TYPE_CHECKING:
    from shared.collect.unit import Clients, Handshake
    from shared.collect.work_queue import StorageQueues

THREADS = 16
"""At most so many questions at once: what Azure's read limits let through (DESIGN.md section 9)."""

TIMEOUTS = (10.0, 20.0)
"""Seconds to connect, and between two bytes of an answer."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def random_bytes(count: int) -> bytes:
    """Bytes nobody can guess."""
    return os.urandom(count)


def store_facts(store: Store) -> Json:
    """What the first record says of the store: format, origin, keys, mode for personal data.

    Raises:
        Misuse: the log does not begin as one of ours does, or was made by a newer version.
    """
    try:
        first = first_record(store)
    except (VerificationError, ValueError):
        first = None
    facts = first.get("store") if isinstance(first, dict) else None
    if not isinstance(facts, dict):
        raise Misuse(
            "the log of this store does not begin with the record that `init` writes: it is not one of aoai-evidence, or was altered"
        )
    if facts.get("format") != 1:
        raise Misuse(f"this store has format {facts.get('format')}, this version of aoai-evidence reads 1: install a newer one")
    return facts


@dataclass(frozen=True, slots=True)
class Sealing:
    """A store that can be written to, with all that sealing needs."""

    store: Store
    facts: Json
    keys: Keys
    signers: list[Signer]
    """Those at hand whose keys are in force, the first key first."""
    sequencer: Sequencer


def sealing(settings: Settings, store: Store) -> Sealing:
    """Open a store for sealing.

    Raises:
        Misuse: no store, no key, or a key that is not in force.
        Unreachable: a vault that would have to say which key it has does not answer.
        StoreConflict: the lists of keys are not as we write them.
    """
    facts = store_facts(store)
    keys = read_keys(store)
    lists = [keys.in_force, *(change.list for change in keys.pending)]
    first, second = signers(settings, store, facts["origin"], lists)
    if not any(signer.key in keys.in_force.keys for signer in first):
        raise not_in_force(first[0], first_place(settings, store), keys)
    store.delete(layout.open_sweep(layout.BIRTH))  # of an `init` that was killed when its record was sealed already
    found = [signer for signer in (*first, *second) if signer.key in keys.in_force.keys]
    return Sealing(store, facts, keys, found, Sequencer(store, Pen([*first, *second], lambda: read_keys(store))))


def not_in_force(signer: Signer, place: Place, keys: Keys) -> Misuse:
    """Why a key may not sign this log, and what to do."""
    now = keys.in_force.place(keys.in_force.keys[0 if place.setting == FIRST else -1])
    change = keys.retired_by(signer.key)
    if change is None:
        newer = "; `aoai-evidence key rotate` makes it the key of this log" if signer.identifier else ""
        return Misuse(f"{place} is not the key of this store ({signer.key.name}): set {place.setting} to the right one ({now}){newer}")
    if str(signer.key) in change.list.lost:
        return Misuse(
            f"{place} was given up as lost in record {change.record} ({change.list.at}), and it is not: if nobody of yours did that, somebody else has changed "
            f"the keys, so run verify --store; otherwise set {place.setting} to the key in force ({now})"
        )
    return Misuse(f"{place} signs no more since record {change.record} ({change.list.at}): set {place.setting} to the key in force ({now})")


@dataclass(frozen=True, slots=True)
class ProfileInForce:
    """What the organisation expects, as it is judged by and as it is sealed."""

    profile: Profile
    body: bytes
    """Canonical JSON, defaults filled in: what the profile record names and the verifier judges by."""
    source: str
    """The file's name, or `defaults`."""

    @property
    def digest(self) -> str:
        """SHA-256 of the body."""
        return sha256(self.body)

    @property
    def schedule(self) -> str | None:
        """The schedule that the profile declares, NCRONTAB."""
        return effective(self.profile, None).word("collection.schedule") or None


def profile_of(settings: Settings) -> ProfileInForce:
    """The profile that EVIDENCE_PROFILE names, or the defaults.

    Raises:
        Misuse: it cannot be read, or is not a profile (with line and column).
    """
    if settings.profile is None:
        return ProfileInForce(DEFAULT, canonical(canonical_profile(DEFAULT)), "defaults")
    path = own_path(settings.profile)
    profile = read_profile(read_input(path, "the profile", "EVIDENCE_PROFILE names it"), str(path))
    return ProfileInForce(profile, canonical(canonical_profile(profile)), path.name)


def azure_clients(settings: Settings, handshake: "Handshake") -> tuple["Clients", Json]:
    """Who asks Azure, and as whom: `{"version", "identity"}` (object id, null where it cannot be told).

    Raises:
        Misuse: what azure-identity is told in the environment is wrong.
        Unreachable: nobody is logged in.
    """
    from shared.collect import dataplane, logs
    from shared.collect.arm import Arm
    from shared.collect.clouds import CLOUDS
    from shared.collect.pace import Pace
    from shared.collect.unit import Clients

    cloud = CLOUDS[settings.cloud]
    login = _Login(settings)
    paced = settings.cloud != "loopback" or settings.reads_per_second > 0

    def pace(per_second: float, burst: int) -> Pace:
        return Pace(per_second if paced else 0.0, time.monotonic, time.sleep, burst)

    arm = Arm(
        settings.arm_endpoint or cloud.arm,
        login.pipeline(cloud.scope, TIMEOUTS, challenges=True),
        Pace(settings.reads_per_second, time.monotonic, time.sleep),
        time.sleep,
    )
    data = dataplane.DataPlane(
        settings.cloud,
        login.pipeline(cloud.data_scope, dataplane.TIMEOUTS),
        lambda: pace(dataplane.PER_SECOND, dataplane.BURST),
        time.sleep,
    )
    asked_of_logs = logs.Logs(
        settings.logs_endpoint or cloud.logs or settings.arm_endpoint or "",
        login.pipeline(cloud.logs_scope, logs.TIMEOUTS),
        pace(logs.PER_SECOND, logs.BURST),
        time.sleep,
    )
    return Clients(arm, data, asked_of_logs, handshake), {"version": __version__, "identity": login.identity}


class _Login:
    """Pipelines that carry tokens of the one identity there is."""

    def __init__(self, settings: Settings) -> None:
        """Log in.

        Raises:
            Unreachable: nobody is logged in.
        """
        from azure.core.exceptions import AzureError

        from shared.collect.clouds import CLOUDS

        self._settings = settings
        self._credential: Any = None
        self.identity: str | None = "local"
        if settings.cloud == "loopback":
            return
        from azure.identity import DefaultAzureCredential

        logging.getLogger("azure").setLevel(logging.CRITICAL)  # its many lines about ways to log in that it tried: ours is one
        cloud = CLOUDS[settings.cloud]
        try:
            self._credential = DefaultAzureCredential(authority=cloud.authority, exclude_interactive_browser_credential=True)
            self.identity = _object_id(self._credential.get_token(cloud.scope).token)
        except ValueError as error:  # of a setting of azure-identity's own
            raise Misuse(f"cannot log in to Azure: {error}") from None
        except AzureError as error:
            raise Unreachable(f"no login to Azure ({type(error).__name__}): run `az login`, or give this machine an identity") from None

    def pipeline(self, scope: str, timeouts: tuple[float, float], *, challenges: bool = False) -> Any:
        """A pipeline whose requests carry a token for `scope`. `challenges`: as Resource Manager gives them."""
        from azure.core.pipeline import Pipeline
        from azure.core.pipeline.policies import BearerTokenCredentialPolicy, HeadersPolicy
        from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

        from shared.collect.transport import CurlTransport

        settings = self._settings
        headers = HeadersPolicy({"Accept": "application/json", "User-Agent": f"aoai-evidence/{__version__}"})
        policies: list[Any] = [headers]
        if self._credential is None:
            headers.add_header("Authorization", "Bearer local")
        else:
            policies.append((ARMChallengeAuthenticationPolicy if challenges else BearerTokenCredentialPolicy)(self._credential, scope))
        loopback = settings.cloud == "loopback"
        transport = CurlTransport(timeouts=timeouts, ca_file=settings.ca_file or _authorities(settings), proxies=not loopback)
        return Pipeline(transport, policies)


def queues_at(settings: Settings) -> "StorageQueues":
    """The queues that hold the work.

    Raises:
        Misuse: none are set, or they are not on a host of the chosen cloud.
    """
    from shared.collect.clouds import CLOUDS
    from shared.collect.work_queue import StorageQueues, emulated_queues

    if settings.queues is None:
        raise Misuse("EvidenceQueues__queueServiceUri is not set: the queue service that holds the work, https://ACCOUNT.queue.core.windows.net")
    if settings.cloud == "loopback":
        return emulated_queues(settings.queues)
    from azure.identity import DefaultAzureCredential

    return StorageQueues(settings.queues, DefaultAzureCredential(authority=CLOUDS[settings.cloud].authority))


def _authorities(settings: Settings) -> str | None:
    """The authorities that login trusts too; libcurl's wheel has none of its own."""
    if settings.cloud == "loopback":
        return None
    import certifi

    return certifi.where()


def _object_id(token: str) -> str | None:
    """The `oid` claim of an access token, which is only read here, not trusted for anything."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["oid"])
    except (IndexError, ValueError, KeyError, TypeError):
        return None


def read_log(settings: Settings) -> tuple[Store, Log, Json]:
    """A store for reading: the store, its log, and what its first record says.

    Raises:
        Misuse: no store there.
    """
    store = store_of(settings)
    log = open_log(store)
    return store, log, store_facts(store)
