"""What a period looks like: from records in log order to one frozen `PeriodView`. Pure: bodies come through a function.

The report, the command line's `status`, `resources`, `findings` and `changes`, and the exports read nothing else. Records may come
from a store or from a bundle; verifying them is not done here, and nothing here is to be believed before it is.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from shared.canonical import Json
from shared.deliver import rejudge
from shared.deliver.view_accepted import accepted
from shared.deliver.view_commands import Commands
from shared.deliver.view_coverage import coverage
from shared.deliver.view_fold import Fold
from shared.deliver.view_model import Change, ChangedField, Excerpt, Finding, Headline, LogIdentity, PeriodView, ProfileInForce
from shared.deliver.view_pass import Pass
from shared.deliver.view_points import LONGEST, Load, compact, excerpt, without_body
from shared.deliver.view_population import Population, rank, worst
from shared.deliver.view_sweeps import Period
from shared.deliver.view_words import Words
from shared.judge.profile import Profile
from shared.model import Status

__all__ = ["LogIdentity", "Period", "PeriodView", "Words", "build"]

_BRIEF = {
    "failure": ("kind", "reason", "detail", "response", "request"),
    "sweep-planned": ("at", "slot", "schedule", "scope", "previous", "log"),
    "sweep-closed": ("at", "slot", "missing", "failures", "complete"),
    "retention": ("at", "storage", "source"),
    "exhibit": ("at", "exhibit"),
    "waiver": ("at", "waiver"),
}
"""What is shown of a record that a point names as a whole."""

BODIES_KEPT = 64
"""Parsed bodies kept while points are resolved: those of one resource name the same few again and again."""


def build(
    records: Iterable[tuple[int, Json]],
    load: Load,
    words: Words,
    *,
    period: Period,
    log: LogIdentity,
    expected: Iterable[str] = (),
) -> PeriodView:
    """The view of `period`.

    `records`: (index, record) in the order of the log; those of sweeps outside the period are passed over.
    `load`: the parsed body with this SHA-256; whatever it raises is shown as a body that is not to be had.
    `expected`: times of the declared schedule's slots; none where no schedule was declared.

    Raises:
        ValueError: a border of the period or an expected slot is no time.
    """
    load = lru_cache(maxsize=BODIES_KEPT)(load)
    fold = Fold(period, load)
    fold.take(records)
    fold.finish()
    if fold.shown is not None:
        fold.shown.raw |= fold.exhibits | fold.waivers
    sweeps = tuple(sorted((each.summary() for each in fold.passes.values() if each.number >= 0), key=lambda sweep: sweep.number))
    findings = tuple(_findings(fold.shown, load, Commands(words, log.vkey, fold.shown, load)))
    population = Population(fold.shown, load, _status_of(findings))
    return PeriodView(
        period=period,
        log=log,
        words=words,
        sweeps=sweeps,
        shown=fold.shown.summary() if fold.shown else None,
        coverage=coverage(period, expected, sweeps),
        accounts=population.accounts(fold.presence, fold.order.planned_at),
        other_accounts=population.other_accounts(),
        headlines=_headlines(fold, findings, words),
        findings=findings,
        histories=fold.runs.histories(),
        changes=tuple(_changes(fold, _last_profile(fold, load))),
        failures=fold.failures.groups(fold.shown.number if fold.shown else None),
        storage=tuple(fold.storage),
        profiles=tuple(_profiles(fold, load)),
        personal_data=fold.personal_data,
        deletions=fold.gone.deletions(),
        descents=fold.gone.descents(fold.shown.seen) if fold.shown else (),
        accepted=accepted(fold.waived, period, (finding.waived for finding in findings)),
        other_records=dict(sorted(fold.others.items())),
        stray_records=fold.strays,
        records=fold.records,
    )


def _findings(shown: Pass | None, load: Load, commands: Commands) -> Iterator[Finding]:
    """The findings of the sweep shown in full: by resource, the collection first, and there what needs a person most first."""
    if shown is None:
        return
    for judged in sorted(shown.findings, key=lambda f: (f.resource or "", rank(f.status), f.control, f.record)):
        yield Finding(
            control=judged.control,
            resource=judged.resource,
            status=judged.status,
            reason=judged.reason,
            record=judged.record,
            catalogue=judged.catalogue,
            profile=judged.profile,
            excerpts=tuple(_excerpt(shown, load, *point) for point in judged.points),
            commands=commands.of(judged.control, judged.resource),
            waived=judged.waived,
        )


def _excerpt(shown: Pass, load: Load, record: int, page: int, pointer: str) -> Excerpt:
    """The bytes at a point: in a page of an observation, or in the record itself where it has no pages."""
    seen = shown.seen.get(record)
    question = seen.kind if seen else ""
    if seen and not seen.failure and page < len(seen.digests):
        digest = seen.digests[page]
        try:
            return excerpt(load(digest), record=record, page=page, pointer=pointer, question=question, digest=digest)
        except Exception:  # noqa: BLE001 - whatever `load` raises, the page says that the body is not to be had
            said = "the body is not among what this was made from"
            return without_body(said, record=record, page=page, pointer=pointer, question=question, digest=digest)
    raw = shown.raw.get(record)
    if raw is None:
        said = "a record of another sweep"
        return without_body(said, record=record, page=page, pointer=pointer, question=question, digest=None)
    if not pointer:
        raw = {name: raw[name] for name in ("type", *_BRIEF.get(raw["type"], tuple(raw))) if name in raw}
    return excerpt(raw, record=record, page=page, pointer=pointer, question=question or raw.get("type", "failure"), digest=None)


def _status_of(findings: Iterable[Finding]) -> dict[str, Status]:
    """The worst status of each resource."""
    found: dict[str, Status] = {}
    for finding in findings:
        if finding.resource and finding.resource not in found:  # they come worst first
            found[finding.resource] = finding.status
    return found


def _headlines(fold: Fold, findings: Iterable[Finding], words: Words) -> tuple[Headline, ...]:
    """One for each control: in the catalogue's order, then those that only findings name."""
    by_control: dict[str, list[Finding]] = {}
    for finding in findings:
        by_control.setdefault(finding.control, []).append(finding)
    known = list(words.controls)
    others = sorted(set(by_control) - set(known))
    return tuple(_headline(name, by_control.get(name, []), fold, words) for name in known + others)


def _headline(name: str, findings: list[Finding], fold: Fold, words: Words) -> Headline:
    control = words.controls.get(name)
    counts: dict[Status, int] = {}
    for finding in findings:
        counts[finding.status] = counts.get(finding.status, 0) + 1
    status = worst(counts)
    return Headline(
        control=name,
        title=control.title if control else name,
        statements=control.statements if control else (),
        references=control.references if control else (),
        scope=control.scope if control else "",
        counts=counts,
        status=status,
        worst=next((finding for finding in findings if finding.status == status), None),
        runs=fold.counts.of(name),
    )


def _last_profile(fold: Fold, load: Load) -> Profile:
    """The profile that the last findings of the period name; the defaults where it cannot be read."""
    try:
        return rejudge.profile_of(load(list(fold.used_profiles)[-1]))
    except Exception:  # noqa: BLE001 - whatever `load` raises: what changed is shown all the same
        return rejudge.DEFAULT_PROFILE


def _changes(fold: Fold, profile: Profile) -> Iterator[Change]:
    """The changes of the period's sweeps, in the order in which they happened."""
    within = [(index, change) for index, change in fold.changes if fold.passes[change["sweep"]].number >= 0]
    for index, change in sorted(within, key=lambda pair: (pair[1].get("until") or pair[1]["at"], pair[0])):
        attribution, told = fold.attributions.get(rejudge.change_key(change), (None, None))
        yield Change(
            record=index,
            sweep=change["sweep"],
            resource=change.get("resource"),
            kind=change.get("kind") or "",
            since=change.get("since"),
            until=change.get("until"),
            before=change.get("from"),
            after=change.get("to"),
            fields=tuple(_changed(each) for each in change.get("fields") or ()),
            means=rejudge.meant(change, profile),
            who=rejudge.who(told, change) if told else None,
            attribution=attribution,
        )


def _changed(each: Json) -> ChangedField:
    op = str(each.get("op"))
    return ChangedField(
        pointer=str(each.get("pointer")),
        op=op,
        was=None if op == "added" else _short(each.get("was")),
        now=None if op == "removed" else _short(each.get("is")),
    )


def _short(value: Json) -> str:
    text = compact(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST} more characters)"


def _profiles(fold: Fold, load: Load) -> Iterator[ProfileInForce]:
    """The profiles that findings of the period name, in the order in which they came into force."""
    sealed: dict[str, tuple[int, Json]] = {}
    for index, record in fold.profiles:
        sealed.setdefault(record["profile"]["sha256"], (index, record))
    for digest in sorted(fold.used_profiles, key=lambda each: sealed[each][0] if each in sealed else -1):
        found = sealed.get(digest)
        record = found[1] if found else {}
        try:
            values = load(digest)
        except Exception:  # noqa: BLE001 - whatever `load` raises, the page says that the body is not to be had
            values = None
        yield ProfileInForce(digest, str(record.get("source") or ""), found[0] if found else None, record.get("at"), values)
