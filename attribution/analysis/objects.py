"""Object attribution: how well a noun's hard map covers what a segmentation says the noun names.

mIoU80 is over the nouns that name one of COCO's 80 classes, mIoU-infinity over all nouns. One value is one noun of one
image. Source: Tang et al., ACL 2023, section 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from attribution.analysis.grouped import GroupedMeans
from attribution.analysis.intervals import Estimate
from attribution.analysis.overlap import Booleans, Maps, Threshold, mask_iou

TAUS: Final = (0.3, 0.4, 0.5)
SWEEP: Final = tuple(round(0.05 * k, 2) for k in range(1, 20))
WHOLE: Final = "whole image"
ALL, COCO = "mIoU-infinity", "mIoU80"
SETS: Final = (COCO, ALL)
FEWER_RESAMPLES: Final = 250
"""For the table by noun, whose rows may be thousands."""


def method(tau: float) -> str:
    """How tables call DAAM at a threshold."""
    return f"DAAM {tau:g}"


@dataclass(frozen=True, slots=True)
class MethodRow:
    """A method: mIoU over both sets, and how much better than the whole image it is, over all nouns."""

    method: str
    coco: Estimate
    all: Estimate
    over_whole: Estimate


@dataclass(frozen=True, slots=True)
class NounRow:
    """A noun by its COCO class, or as it is: how often, DAAM's mIoU at 0.4 and that of the whole image."""

    noun: str
    nouns: int
    images: int
    daam: Estimate
    whole: Estimate


def scores(values: Maps, truth: Booleans, compared: Mapping[str, Booleans | None]) -> dict[str, float]:
    """IoU with the mask ``truth`` [height, width] of: the map ``values`` of the same shape at each tau of SWEEP, the
    whole image, and each compared method's mask; 0 for a method that has none."""
    found = {method(tau): mask_iou(Threshold(tau).masks(values[None])[0], truth) for tau in SWEEP}
    others = {name: 0.0 if mask is None else mask_iou(mask, truth) for name, mask in compared.items()}
    return found | {WHOLE: float(truth.mean())} | others


@dataclass
class Objects:
    """Adds the scores of images up; ``compared`` are the further methods' names, ``seed`` decides the bootstrap."""

    compared: Sequence[str] = ()
    seed: int = 0
    unseen: int = 0
    without_map: int = 0
    images: int = 0
    sets: GroupedMeans = field(init=False)
    by_noun: GroupedMeans = field(init=False)

    def __post_init__(self) -> None:
        self.sets = GroupedMeans([*map(method, SWEEP), WHOLE, *self.compared], self.seed)
        self.by_noun = GroupedMeans([method(0.4), WHOLE], self.seed, FEWER_RESAMPLES)

    def add(self, prompt: str, record: Mapping[str, Any]) -> None:
        """Add one image's record: ``nouns`` (name, COCO class or None, scores by method), and what was left out."""
        for group in SETS:
            rows = [found for _, coco, found in record["nouns"] if coco or group == ALL]
            sums = np.sum([[row[name] for name in self.sets.measures] for row in rows], axis=0) if rows else []
            if rows:
                self.sets.add(prompt, group, len(rows), sums)
        for name, coco, found in record["nouns"]:
            self.by_noun.add(prompt, coco or name, 1, [found[measure] for measure in self.by_noun.measures])
        self.unseen += record["unseen"]
        self.without_map += record["without_map"]
        self.images += 1

    def rows(self) -> list[MethodRow]:
        """DAAM at TAUS, the whole image, the compared methods."""
        return [self._row(name) for name in [*map(method, TAUS), WHOLE, *self.compared]]

    def sweep(self) -> list[tuple[float, Estimate, Estimate]]:
        """For each tau of SWEEP: tau, mIoU80, mIoU-infinity."""
        return [(tau, self.sets.mean(COCO, method(tau)), self.sets.mean(ALL, method(tau))) for tau in SWEEP]

    def noun_rows(self, number: int = 80) -> list[NounRow]:
        """The ``number`` most frequent nouns, by COCO class where they have one."""
        return [self._noun_row(noun) for noun in self.by_noun.groups[:number]]

    def _row(self, name: str) -> MethodRow:
        over = self.sets.contrast(ALL, name, WHOLE)
        if name == WHOLE:
            over = Estimate.undefined("the baseline itself")
        return MethodRow(name, self.sets.mean(COCO, name), self.sets.mean(ALL, name), over)

    def _noun_row(self, noun: str) -> NounRow:
        counts = self.by_noun.count(noun), self.by_noun.additions(noun)
        return NounRow(noun, *counts, self.by_noun.mean(noun, method(0.4)), self.by_noun.mean(noun, WHOLE))
