"""What waives the findings of a log, as records go by: the same for whoever writes what is derived from them, and whoever derives it again."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable

from shared.canonical import Json
from shared.deliver.shapes import RecordError, check_fields, is_time
from shared.judge.waivers import Waiver, sealed_waivers, waiver_of


class Waived:
    """By the acts that come before a finding in the log, at the time of the finding. Acts may be taken in any order, and again."""

    def __init__(self) -> None:
        self._acts: dict[int, tuple[int, str, Json]] = {}
        self._places: list[int] = []
        self._known: tuple[int, dict[str, list[Waiver]]] = (0, {})
        """How many acts these waivers are by; by control."""

    def take(self, index: int, record: Json) -> None:
        """Take in an act; one that is not as it should be is passed over: whoever verifies says so elsewhere."""
        try:
            check_fields(record)
        except RecordError:
            return
        if index not in self._acts and is_time(record["at"]):
            self._acts[index] = (index, record["at"], record["waiver"])
            insort(self._places, index)
            self._known = (0, {})

    def of(self, index: int, finding: Json) -> Waiver | None:
        """The waiver of the finding at an index; None where it has none."""
        count = bisect_left(self._places, index)
        if not count or finding["status"] != "not-satisfied":
            return None
        if self._known[0] != count:
            by_control: dict[str, list[Waiver]] = {}
            for one in self._by(count):
                by_control.setdefault(one.control, []).append(one)
            self._known = (count, by_control)
        return waiver_of(self._known[1].get(finding["control"], ()), finding, finding["at"])

    def before(self, time: str) -> list[Waiver]:
        """What all acts until a time amount to."""
        return sealed_waivers(act for act in self._acts.values() if act[1] < time)

    def _by(self, count: int) -> list[Waiver]:
        return sealed_waivers(self._acts[place] for place in self._places[:count])


def waived_by(record_at: Callable[[int], Json], indexes: Iterable[int]) -> Waived:
    """By those of the records at these indexes that are about waivers."""
    found = Waived()
    for index in indexes:
        record = record_at(index)
        if record["type"] == "waiver":
            found.take(index, record)
    return found
