"""The one place where delivering depends on judging: the judge is called again here, and the catalogue read, and nowhere else.

Pure. Whatever the judge raises on evidence that nobody foresaw is one `CannotJudgeError`.
"""

from collections.abc import Iterable, Sequence

from shared.canonical import Json, canonical
from shared.errors import EvidenceError
from shared.judge import attribution as attributed
from shared.judge import engine
from shared.judge.assemble import LoadBody, SweepRecords
from shared.judge.catalogue import FRAMEWORKS, catalogue
from shared.judge.collected import collection_of
from shared.judge.meaning import meanings
from shared.judge.profile import DEFAULT, Profile, effective, from_canonical
from shared.model import Evidence, Judgement, Point

Judged = tuple[str, Judgement]
"""The id of a control, and one judgement by it."""


class CannotJudgeError(EvidenceError):
    """The evidence cannot be judged again; the message is one sentence."""


def catalogue_version() -> str:
    """The version of the catalogue that is judged by here."""
    return catalogue().version


def catalogue_json() -> bytes:
    """The catalogue as a bundle has it."""
    return canonical(catalogue().as_json()) + b"\n"


def frameworks() -> tuple[str, ...]:
    """The frameworks that the catalogue refers to."""
    return FRAMEWORKS


def criteria(framework: str) -> dict[str, list[str]]:
    """The criteria of a framework that each control supports, by the control's id; controls that support none are not there."""
    found = {control.id: [reference.ref for reference in control.references(framework)] for control in catalogue().controls}
    return {control: references for control, references in found.items() if references}


def references(framework: str) -> list[tuple[str, str, str, str, bool]]:
    """(criterion, what it is called, control, why that supports it, whether this waits for a practitioner), by criterion and in the catalogue's order."""
    by: dict[str, list[tuple[str, str, str, str, bool]]] = {ref: [] for ref in catalogue().criteria[framework]}
    for control in catalogue().controls:
        for each in control.references(framework):
            by[each.ref].append((each.ref, catalogue().criteria[framework][each.ref], control.id, each.why, each.unsure))
    return [row for rows in by.values() for row in rows]


def titles() -> dict[str, str]:
    """The title of each control, by its id."""
    return {control.id: control.title for control in catalogue().controls}


def profile_of(sealed: Json) -> Profile:
    """The profile out of its sealed body.

    Raises:
        CannotJudgeError: it is none, or of a later version.
    """
    try:
        return from_canonical(sealed)
    except EvidenceError as error:
        raise CannotJudgeError(str(error)) from None
    except Exception as error:
        raise CannotJudgeError(f"the sealed profile is malformed ({type(error).__name__})") from error


DEFAULT_PROFILE = DEFAULT
"""What is expected where no profile can be read."""


def unit(evidence: Evidence, profile: Profile, cloud: str, *, subscription: bool) -> Sequence[Judged]:
    """Everything that is judged of one unit.

    Raises:
        CannotJudgeError: the judge does not cope with the evidence.
    """
    try:
        return engine.judge_subscription(evidence, profile, cloud) if subscription else engine.judge_account(evidence, profile, cloud)
    except CannotJudgeError:  # a body is not there
        raise
    except Exception as error:
        raise CannotJudgeError(f"the judge does not cope with the evidence ({type(error).__name__})") from error


def judges_age(profile: Profile, resource: str | None) -> bool:
    """Whether what is found of a resource depends on the time of the sweep."""
    expect = effective(profile, resource)
    return any(expect.number(limit) for limit in ("storage.files_max_age_days", "storage.vector_stores_max_age_days"))


def meant(change: Json, profile: Profile) -> tuple[tuple[str, str], ...]:
    """What a change record means: (severity, sentence), the most severe first."""
    found = meanings(change, effective(profile, change.get("resource")))
    return tuple((meaning.severity, meaning.text) for meaning in found)


def change_key(record: Json) -> tuple[Json, ...]:
    """What tells a change apart, the same of the change and of every attribution of it."""
    return record.get("kind"), record.get("resource"), (record.get("change") or record).get("to")


def who(attribution: Json, change: Json) -> str:
    """An attribution record in one line, for all fields of the change."""
    return attributed.said_of_all(attribution, (str(field.get("pointer")) for field in change.get("fields") or ()))


def collection(records: SweepRecords, missing: Iterable[str], profile: Profile, load: LoadBody) -> Sequence[Judged]:
    """Everything that is judged of the collection itself.

    Raises:
        CannotJudgeError: the judge does not cope with the records.
    """
    try:
        return engine.judge_sweep(collection_of(records, list(missing), load), profile)
    except CannotJudgeError:  # a body is not there
        raise
    except Exception as error:
        raise CannotJudgeError(f"the judge does not cope with the records ({type(error).__name__})") from error


def provider_attested(records: SweepRecords) -> Sequence[Judged]:
    """The statements that nobody outside the provider can observe."""
    return engine.provider_attested(records.exhibits, records.plan["at"])


def on_file(records: SweepRecords, profile: Profile) -> Sequence[Judged]:
    """Of what is judged of the collection, what rests on nothing but the plan and acts of people: so it can be judged again where other records are not."""
    return engine.judge_acts(records.exhibits, records.waivers, Point(records.plan_record), records.plan["at"], profile)


def filed_controls() -> frozenset[str]:
    """The controls that `on_file` and `provider_attested` judge."""
    return frozenset(engine.ACT_CHECKS) | {control.id for control in catalogue().of_scope("provider")}
