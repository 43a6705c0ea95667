"""The use-case `erase`: what is known of a person is deleted from `personal/`, and that it was is sealed. Every proof still verifies."""

from shared import layout
from shared.canonical import Json
from shared.errors import Misuse
from shared.privacy.disclosures import Disclosures
from shared.records import line, record, timestamp
from shared.seal.store import put_body
from shared.service import state
from shared.service.compose import Clock, random_bytes, sealing, utc_now
from shared.service.stores import store_of
from shared.settings import Settings


def erase(settings: Settings, subject: str, *, reason: str | None = None, now: Clock = utc_now) -> list[str]:
    """Erase every disclosure that is or mentions `subject` (in any case); return the commitments, which can no longer be opened.

    Raises:
        Misuse: nothing of that name is disclosed here, or the store keeps personal data in clear.
    """
    ready = sealing(settings, store_of(settings))
    if ready.facts["personal_data"] == "keep":
        raise Misuse(
            "this store was made with EVIDENCE_PERSONAL_DATA=keep: its evidence holds personal data in clear, which cannot be erased"
        )
    if not subject.strip():
        raise Misuse("--subject is empty: name the e-mail address or name to erase")
    erased = Disclosures(ready.store, random_bytes).erase(subject)
    if not erased:
        raise Misuse(
            "nothing that names this subject is disclosed in this store: nothing to erase (the name must be spelled out; case does not matter)"
        )
    at = now()
    name = at.strftime("%Y%m%dT%H%M%S%fZ-erasure")
    value: Json = record("erasure", timestamp(at), sweep=None, kind="personal", commitments=sorted(erased), reason=reason)
    state.mark_open(ready.store, name, ready.sequencer.catch_up() and ready.sequencer.seq)
    ready.store.put_new(layout.batch(name, "erasure"), line(value, lambda data: put_body(ready.store, data)) + b"\n")
    ready.sequencer.seal()
    ready.store.delete(layout.open_sweep(name))
    return erased
