"""From the answers to one item to its score: the paper's rules, and what they leave open, decided once.

The paper (Tang et al. 2023, section 3.2) drops a word-prompt pair when any of its three raters calls the word too
abstract, and scores it by the median of its raters. It is silent on the rest, for which this module decides:

* An item is looked at once all of its places are answered; until then it is *waiting*, and no number uses its score.
* "Image too poor" says nothing about the map: the answer is left out of the median. So is an answer that does not
  count (an excluded rater's).
* An item is scored when more than half of its places hold a rating that counts, two of three; with fewer it is
  *unscored*, for the reason that cost it the most answers.
* The median of an even number of ratings is the mean of the middle two, so a score may be a half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from attribution.analysis.bias_noise import BiasAndNoise, bias_and_noise
from attribution.analysis.competence import Competence, mace
from attribution.analysis.latent import LatentClasses, dawid_skene
from attribution.errors import AnalysisError

__all__ = [
    "BiasAndNoise",
    "Competence",
    "LatentClasses",
    "Score",
    "Status",
    "bias_and_noise",
    "dawid_skene",
    "mace",
    "majority_right",
    "median_of",
    "score_pair",
    "status_of",
]


class Status(StrEnum):
    """What became of an item. ``DROPPED`` is final even while places are open."""

    SCORED = "scored"
    DROPPED = "dropped"
    TOO_POOR = "image too poor"
    TOO_FEW = "too few ratings"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Score:
    """An item's status, and its median rating where it is scored."""

    status: Status
    median: float | None = None


def score_pair(counts: Sequence[int], *, too_abstract: int, too_poor: int, answered: int, places: int) -> Score:
    """Score one word-prompt pair.

    ``counts[v]`` is how many counted raters gave rating ``v + 1``; ``too_abstract`` and ``too_poor`` how many chose
    an opt-out. ``answered`` of its ``places`` hold an answer, counted or not.
    """
    if too_abstract:
        return Score(Status.DROPPED)
    status = status_of(rated=sum(counts), too_poor=too_poor, answered=answered, places=places)
    return Score(status, median_of(counts) if status is Status.SCORED else None)


def status_of(*, rated: int, too_poor: int, answered: int, places: int) -> Status:
    """Whether an item with ``rated`` counted answers has enough of them, and else why not."""
    if places < 1 or min(rated, too_poor, answered) < 0 or rated + too_poor > answered:
        raise AnalysisError(
            f"{rated} ratings and {too_poor} opt-outs of {answered} answers in {places} places do not fit together."
        )
    if answered < places:
        return Status.WAITING
    if 2 * rated > places:
        return Status.SCORED
    not_counted = answered - rated - too_poor
    return Status.TOO_POOR if too_poor and too_poor >= not_counted else Status.TOO_FEW


def median_of(counts: Sequence[int]) -> float:
    """Median of ratings given as counts of 1, 2, 3, ...; an even number takes the mean of the middle two."""
    ratings = [value for value, count in enumerate(counts, start=1) for _ in range(count)]
    if not ratings:
        raise AnalysisError("no ratings: the median of nothing is undefined.")
    return float(median(ratings))


def majority_right(right: int, wrong: int) -> bool:
    """Whether more than half of the raters called an item right; a tie is not right."""
    return right > wrong
