"""Which items are asked more often than three times, by a rule fixed before the study opens.

What the rule does to the numbers (measured by simulation in docs/statistics.md):

* Items that disagree have more answers. Whatever pools single answers (alpha, the shares of answers, the mean of all
  ratings) leans to them: alpha may come out too high or too low, and the mean moves to where the hard items are.
  Compute these from the first ``stages[0]`` answers of every item, which are those of a study without the rule.
* Scores stay one an item, and the mean of medians comes close to what the last stage's number of raters would give.
  Where answers are skewed that is not what three raters give: compare studies with the same rule only.
* The rule looks at answers in the order in which they were given, so an export shows whether it was kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from attribution.errors import AnalysisError


@dataclass(frozen=True)
class AdaptiveRule:
    """Ask ``stages[0]`` raters; while the answers so far disagree, as many as the next stage says, to the last one.

    ``spread``: ratings disagree when the highest is at least this much above the lowest; None for answers that have no
    order, which disagree when none was given by more than half. ``stages`` are ascending, such as 3, 5 and 7.
    """

    stages: tuple[int, ...] = (3, 5, 7)
    spread: float | None = 2.0

    def __post_init__(self) -> None:
        if not self.stages or self.stages[0] < 1 or list(self.stages) != sorted(set(self.stages)):
            raise AnalysisError(f"stages are {self.stages}: give ascending numbers of raters, such as 3, 5, 7.")
        if self.spread is not None and not self.spread > 0:
            raise AnalysisError(f"spread is {self.spread!r}: give a positive difference of ratings, or None.")

    def disagree(self, answers: Sequence[Hashable]) -> bool:
        """Whether these answers disagree; None among them is an opt-out, which says nothing."""
        given = [answer for answer in answers if answer is not None]
        if len(given) < 2:
            # Nothing to compare: an item that most raters opt out of is not settled by asking more of them.
            return False
        if self.spread is None:
            return 2 * max(Counter(given).values()) <= len(given)
        ratings = [float(answer) for answer in given]  # type: ignore[arg-type]
        return max(ratings) - min(ratings) >= self.spread


def needs_more(answers: Sequence[Hashable], rule: AdaptiveRule) -> int:
    """How many more raters an item needs now, 0 when it is done.

    ``answers`` are all given so far, in the order given; None is an opt-out. A stage that has begun is completed,
    whatever its first answers say: the decision is taken once, at the end of each stage.
    """
    for stage in rule.stages[:-1]:
        if len(answers) < stage:
            return stage - len(answers)
        if not rule.disagree(answers[:stage]):
            return 0
    return max(0, rule.stages[-1] - len(answers))
