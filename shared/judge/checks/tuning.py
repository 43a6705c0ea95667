"""Where fine-tuned models come from, and what the service's safety evaluation said of them."""

from shared.judge.case import Case
from shared.judge.checks.holdings import FILE_MEMBERS, JOB_MEMBERS, by_id, held, list_place, listed_of, models_of_its_own, why
from shared.judge.expectation import ANY
from shared.judge.lives.kinds import letters
from shared.judge.lives.lineage import Lineage, files_named, lineages
from shared.judge.reading import Node, count, names, verb
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, satisfied, unknown
from shared.model import Judgement, Point

_PASSED = ("passed", "succeeded", "completed", "finished")
_EVALUATED = ("safetyevaluation", "modelevaluation", "contentsafety", "rai", "moderation")
_REFUSED = ("unabletobedeployed", "failedraichecks", "safetyevaluationfailed", "usagepolicyviolations")


def fine_tuning_lineage(case: Case) -> list[Judgement]:
    """Each fine-tuned model leads to its job and its training file; whether that file is still there is said."""
    models, jobs = models_of_its_own(case), by_id(case, "fineTuningJobs", JOB_MEMBERS)
    if not models:
        return [not_applicable(case.id, "The account lists no fine-tuned models.", list_place(case, "servedModels"))]
    try:
        files = listed_of(case, "files", files_named(jobs.values()), FILE_MEMBERS)
    except Unclear:
        files = None
    deployments = {deployment.id: deployment.node for deployment in case.deployments}
    found = [lineage for lineage in lineages(models, jobs, files, deployments) if lineage.listed is not None]
    lost = [lineage for lineage in found if lineage.job is None or not any(use.role == "training" for use in lineage.uses)]
    if lost:
        reason = f"{_of(lost, found)} {verb(len(lost), 'leads', 'lead')} to no job that names its training data: {names(one.model for one in lost)}."
        return [not_satisfied(case.id, reason, *_points(lost), list_place(case, "fineTuningJobs"))]
    return [_judged_by_data(case, found, files is not None)]


def _judged_by_data(case: Case, found: list[Lineage], files_known: bool) -> Judgement:
    traced = f"{count(len(found), 'fine-tuned model')} {verb(len(found), 'leads', 'lead')} to {verb(len(found), 'its', 'their')} training data"
    wanted = case.expect.word("deletions.models_without_data")
    if not files_known:
        said = f"{traced}; whether that data is still stored is not known, since the files could not be listed"
        return satisfied(case.id, f"{said}.", *_traced(found)) if wanted == ANY else unknown(case.id, f"{said}.", *_points(found))
    without = [lineage for lineage in found if lineage.without_data]
    if not without:
        return satisfied(case.id, f"{traced}, which is still stored.", *_traced(found))
    said = " ".join(sentence for lineage in without[:3] if (sentence := lineage.sentence()))
    if wanted == ANY:
        return satisfied(case.id, f"{traced}. {said}", *_traced(without), *_traced(found))
    because = case.expect.because("deletions.models_without_data")
    return not_satisfied(case.id, f"{_of(without, found)} outlived {verb(len(without), 'its', 'their')} training data ({because}: {wanted}). {said}",
                         *_points(without))  # fmt: skip


def _of(some: list[Lineage], all_: list[Lineage]) -> str:
    return f"{len(some)} of {count(len(all_), 'fine-tuned model')}"


def _traced(found: list[Lineage]) -> list[Point]:
    """The models, their jobs, and where these name what they were made from."""
    points = [node.point() for lineage in found for node in (lineage.listed, lineage.job) if node is not None]
    return points + [use.named for lineage in found for use in lineage.uses if use.role == "training"]


def _points(found: list[Lineage]) -> list[Point]:
    return [point for lineage in found for point in lineage.points]


def safety_evaluation_verdicts(case: Case) -> list[Judgement]:
    """Each job that made a model, or was refused one, has the verdict of the safety evaluation among its events."""
    if held(case, "fineTuningJobs") is None:
        return [not_applicable(case.id, "The account does not serve fine-tuning.", list_place(case, "fineTuningJobs"))]
    jobs = by_id(case, "fineTuningJobs", JOB_MEMBERS)
    ended = {identifier: job for identifier, job in jobs.items() if job.value.get("fine_tuned_model") or _refused(job.value.get("error"))}
    if not ended:
        return [not_applicable(case.id, "No fine-tuning job has come to an evaluation.", list_place(case, "fineTuningJobs"))]
    verdicts = {identifier: _verdict(case, identifier, job) for identifier, job in ended.items()}
    deployable = [point for verdict, point in verdicts.values() if verdict == "deployable"]
    refused = [point for verdict, point in verdicts.values() if verdict == "not deployable"]
    silent = [identifier for identifier, (verdict, _) in verdicts.items() if verdict not in ("deployable", "not deployable")]
    fact = f"Of {count(len(ended), 'job')} the safety evaluation found {len(deployable)} deployable and {len(refused)} not"
    if silent:
        why_not = names({verdicts[identifier][0] for identifier in silent}, 2)
        said = f"{fact}; of {len(silent)} no verdict is shown ({why_not}): {names(silent)}."
        return [unknown(case.id, said, *(verdicts[identifier][1] for identifier in silent))]
    return [satisfied(case.id, f"{fact}.", *deployable, *refused)]


def _verdict(case: Case, job: str, node: Node) -> tuple[str, Point]:
    """`deployable`, `not deployable`, or why that is not shown; and where it is."""
    if _refused(node.value.get("error")):
        return "not deployable", node.point("error")
    answer = case.evidence.answer("fineTuningEvents", f"{case.id}/finetuningjobs/{job}")
    if answer is None:
        return "its events were not asked for", node.point()
    if answer.failure is not None:
        return f"its events could not be read: {why(answer)}", Point(answer.record)
    passed = None
    for number, page in enumerate(answer.pages):
        values = page.get("data") if isinstance(page, dict) else None
        for position, event in enumerate(values if isinstance(values, list) else ()):
            said = letters(event["message"]) if isinstance(event, dict) and isinstance(event.get("message"), str) else ""
            place = Point(answer.record, number, f"/data/{position}/message")
            if any(word in said for word in _REFUSED):
                return "not deployable", place
            if any(said.startswith(word) for word in _EVALUATED) and any(word in said for word in _PASSED):
                passed = passed or place
    return ("deployable", passed) if passed is not None else ("none of its events speaks of it", Point(answer.record))


def _refused(error: object) -> bool:
    if not isinstance(error, dict):
        return False
    return any(word in letters(text) for text in (error.get("code"), error.get("message")) if isinstance(text, str) for word in _REFUSED)
