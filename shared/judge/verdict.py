"""How a check says what it concludes: one function per status, and one exception for "cannot tell"."""

from shared.model import Judgement, Point


class Unclear(Exception):
    """The evidence does not allow a conclusion: not collected, or not of the shape that the check knows.

    Raised while reading; whoever runs the check turns it into `unknown` with `reason` and `points`.
    """

    def __init__(self, reason: str, *points: Point) -> None:
        """Keep the sentence for the person who must act, and the bytes it is about."""
        super().__init__(reason)
        self.reason = reason
        self.points = points

    def judgement(self, resource: str | None) -> Judgement:
        """The same as a judgement about `resource`."""
        return Judgement(resource, "unknown", self.reason, self.points)


def satisfied(resource: str | None, reason: str, *points: Point) -> Judgement:
    """The bytes at `points` show what is expected."""
    return Judgement(resource, "satisfied", reason, points)


def not_satisfied(resource: str | None, reason: str, *points: Point) -> Judgement:
    """The bytes at `points` show something else than what is expected, or do not show what they should."""
    return Judgement(resource, "not-satisfied", reason, points)


def not_applicable(resource: str | None, reason: str, *points: Point) -> Judgement:
    """There is nothing here for the control to judge, or nobody expects anything: the reason states the fact."""
    return Judgement(resource, "not-applicable", reason, points)


def unknown(resource: str | None, reason: str, *points: Point) -> Judgement:
    """The evidence does not allow a conclusion."""
    return Judgement(resource, "unknown", reason, points)


def verdict(resource: str | None, fine: bool, reason: str, *points: Point) -> Judgement:
    """`satisfied` or `not-satisfied`, by `fine`."""
    return Judgement(resource, "satisfied" if fine else "not-satisfied", reason, points)
