"""How much the maps of two words share: intersection over union, over the dependent's area, over the head's area.

Hard maps: IoU(i, j) = |i and j| / |i or j|; IoD = |h and d| / |d|; IoH = |h and d| / |h|. Soft maps, each divided by
its largest value: the same with min(i, j) summed for "and" and max(i, j) for "or"; on masks both agree.
An empty map shares nothing: a ratio whose denominator is 0 is 0, as in the authors' code, and such words are counted.
Source: Tang et al., "What the DAAM", ACL 2023, sections 2 and 4; raw maps as in their package (castorini/daam).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from attribution.errors import AnalysisError

Floats = NDArray[np.float64]
Maps = NDArray[np.float32]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Threshold:
    """What makes a map hard. ``relative``: values of at least ``value`` times the map's largest (the paper's tau).

    ``absolute``: values above ``value`` on the authors' raw maps, which are the mean over layers and heads of the sum
    over the denoiser's steps: ours times their ``steps``.
    """

    value: float
    kind: Literal["relative", "absolute"] = "relative"

    def __post_init__(self) -> None:
        if not self.value > 0 or (self.kind == "relative" and self.value > 1):
            raise AnalysisError(
                f"threshold {self.value:g} ({self.kind}): give a relative one above 0 and at most 1, such as 0.4, "
                "or an absolute one above 0, such as 0.15."
            )

    @property
    def label(self) -> str:
        return f"tau {self.value:g}" if self.kind == "relative" else f"{self.value:g} on raw maps"

    def masks(self, maps: Maps, steps: int = 1) -> Booleans:
        """The hard maps, bool [word, height, width], of ``maps`` (the mean over ``steps`` steps, not negative).

        A map of zeros marks nothing.
        """
        if self.kind == "absolute":
            return np.asarray(maps * np.float32(steps) > np.float32(self.value))
        peaks = maps.max(axis=(-2, -1), keepdims=True)
        return np.asarray((maps >= np.float32(self.value) * peaks) & (peaks > 0))


PAPER = Threshold(0.4)
LATER_RUN = Threshold(0.15, "absolute")


@dataclass(frozen=True, slots=True)
class Overlaps:
    """What the words of one image share: ``shared[i, j]`` and ``union[i, j]``, float64 [word, word], in cells."""

    shared: Floats
    union: Floats

    @property
    def areas(self) -> Floats:
        """Cells that each word marks, (word,)."""
        return np.asarray(np.diagonal(self.shared))

    @property
    def iou(self) -> Floats:
        """Intersection over union, [word, word], symmetric; 0 where both are empty."""
        return _ratio(self.shared, self.union)

    @property
    def over_area(self) -> Floats:
        """[word, word]: the share of word i's area that word j marks too; 0 where i is empty.

        IoD of a pair is ``over_area[dependent, head]``, IoH ``over_area[head, dependent]``.
        """
        return _ratio(self.shared, np.broadcast_to(self.areas[:, None], self.shared.shape))


def hard_overlaps(masks: Booleans) -> Overlaps:
    """Overlaps of hard maps, bool [word, height, width], of all pairs at once."""
    # Counts of cells are whole numbers below 2 ** 24: exact in float32, whose product is the fastest.
    flat = _flat(masks).astype(np.float32)
    shared = (flat @ flat.T).astype(np.float64)
    areas = np.diagonal(shared)
    return Overlaps(shared, areas[:, None] + areas[None, :] - shared)


def soft_overlaps(maps: Maps) -> Overlaps:
    """Overlaps of soft maps [word, height, width], not negative, each first divided by its largest value."""
    flat = _flat(maps).astype(np.float64)
    peaks = flat.max(axis=1, keepdims=True)
    flat = np.divide(flat, peaks, out=np.zeros_like(flat), where=peaks > 0)
    shared = np.array([np.minimum(flat, one).sum(axis=1) for one in flat]).reshape(len(flat), len(flat))
    areas = np.diagonal(shared)
    # min + max of two numbers is their sum.
    return Overlaps(shared, areas[:, None] + areas[None, :] - shared)


def mask_iou(first: Booleans, second: Booleans) -> float:
    """Intersection over union of two masks of one shape; 0 where both are empty."""
    if first.shape != second.shape:
        raise AnalysisError(f"masks of shapes {first.shape} and {second.shape}: give two of one shape.")
    union = int(np.count_nonzero(first | second))
    return int(np.count_nonzero(first & second)) / union if union else 0.0


def _flat(maps: NDArray[Any]) -> NDArray[Any]:
    return maps.reshape(len(maps), math.prod(maps.shape[1:]))


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
