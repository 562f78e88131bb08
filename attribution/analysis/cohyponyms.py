"""Cohyponym entanglement: do the maps of two nouns overlap more when the nouns share a hypernym?

Each image of a prompt "a(n) X and a(n) Y" gives one IoU of its nouns' hard maps. Images of one prompt are one cluster.
With people's answers (an image is right when both nouns are there) right and wrong images are compared.
Source: Tang et al., "What the DAAM", ACL 2023, section 5.1.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from attribution.analysis.clustered import compare_groups, compare_proportions
from attribution.analysis.grouped import GroupedMeans
from attribution.analysis.intervals import Estimate
from attribution.analysis.overlap import Maps, Threshold, hard_overlaps

CONDITIONS: Final = ("cohyponyms", "non-cohyponyms")
RIGHT, WRONG = "right images", "wrong images"
MEASURES: Final = ("iou", "empty")
_STEPS: Final = 500
"""IoUs enter the permutation tests in steps of 1/500, which bounds the tests' memory."""


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """A condition, or right or wrong images of one: the mean IoU of the two nouns' maps, by prompt."""

    group: str
    images: int
    iou: Estimate
    empty: float


@dataclass(frozen=True, slots=True)
class TestRow:
    """``first`` less ``second``: a difference with its interval and a two-sided p value that permutes whole prompts."""

    what: str
    first: str
    second: str
    difference: Estimate
    p_value: float


def measure(maps: Maps, threshold: Threshold, steps: int) -> dict[str, float]:
    """The IoU of two maps [2, height, width], and whether one of them marks nothing."""
    found = hard_overlaps(threshold.masks(maps, steps))
    return {"iou": float(found.iou[0, 1]), "empty": float((found.areas == 0).any())}


@dataclass
class Cohyponyms:
    """Adds images up. ``answers`` has, by image, whether people found both nouns; images without one wait."""

    answers: Mapping[str, bool] = field(default_factory=dict)
    seed: int = 0
    other_prompts: int = 0
    without_map: int = 0
    means: GroupedMeans = field(init=False)
    # A few bytes an image: IoU, cluster, condition, answer (-1 where there is none).
    _ious: array[float] = field(default_factory=lambda: array("f"), init=False)
    _clusters: array[int] = field(default_factory=lambda: array("L"), init=False)
    _alike: array[int] = field(default_factory=lambda: array("b"), init=False)
    _right: array[int] = field(default_factory=lambda: array("b"), init=False)

    def __post_init__(self) -> None:
        self.means = GroupedMeans(MEASURES, self.seed)

    @property
    def answered(self) -> int:
        """Images with an answer."""
        return sum(1 for right in self._right if right >= 0)

    def add(self, name: str, prompt: str, record: Mapping[str, Any]) -> None:
        """Add an image's record: ``condition``, "" for another prompt; ``iou``, ``empty`` unless a map is missing."""
        if not record["condition"]:
            self.other_prompts += 1
            return
        if "iou" not in record:
            self.without_map += 1
            return
        right = self.answers.get(name)
        groups = [record["condition"]]
        if right is not None:
            answer = RIGHT if right else WRONG
            groups += [answer, f"{record['condition']}, {answer}"]
        for group in groups:
            self.means.add(prompt, group, 1, [record[measure] for measure in MEASURES])
        self._ious.append(round(record["iou"] * _STEPS) / _STEPS)
        self._clusters.append(zlib.crc32(prompt.encode()))
        self._alike.append(record["condition"] == CONDITIONS[0])
        self._right.append(-1 if right is None else right)

    def rows(self) -> list[ConditionRow]:
        """Both conditions; with answers also the right and the wrong images, of all and of each condition."""
        answers = [RIGHT, WRONG] if self.answered else []
        groups = [*CONDITIONS, *answers, *(f"{condition}, {answer}" for condition in CONDITIONS for answer in answers)]
        return [self._row(group) for group in groups]

    def tests(self) -> list[TestRow]:
        """Overlap by condition; with answers, overlap of wrong and right images, and the share of right ones."""
        found = [self._compare("IoU of the two maps", *CONDITIONS, self._is(self._alike, 1), self._is(self._alike, 0))]
        if self.answered:
            wrong, right = self._is(self._right, 0), self._is(self._right, 1)
            found += [
                self._compare("IoU of the two maps", WRONG, RIGHT, wrong, right),
                self._shares(right, right | wrong),
            ]
        return found

    def _row(self, group: str) -> ConditionRow:
        iou, empty = (self.means.mean(group, measure) for measure in MEASURES)
        return ConditionRow(group, self.means.count(group), iou, empty.value)

    def _compare(self, what: str, first: str, second: str, one: Any, two: Any) -> TestRow:
        ious, clusters = np.array(self._ious), np.array(self._clusters)
        rng = np.random.default_rng(self.seed)
        tested = compare_groups(ious[one], ious[two], clusters[one], clusters[two], rng=rng, resamples=100)
        return TestRow(what, first, second, self.means.difference(first, second, "iou"), tested.p_value)

    def _shares(self, right: Any, answered: Any) -> TestRow:
        clusters, alike = np.array(self._clusters), self._is(self._alike, 1)
        one, two = answered & ~alike, answered & alike
        rng = np.random.default_rng(self.seed)
        tested = compare_proportions(right[one], right[two], clusters[one], clusters[two], rng=rng)
        return TestRow("share of right images", CONDITIONS[1], CONDITIONS[0], tested.difference, tested.p_value)

    def _is(self, column: Any, value: int) -> Any:
        return np.array(column) == value
