"""Attribution intensity: the share of the image that a word's hard map marks, by part of speech.

Source: the authors' package (castorini/daam), whose analysis of parts of speech takes the mean of the hard map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from attribution.analysis.grouped import GroupedMeans
from attribution.analysis.intervals import Estimate
from attribution.analysis.overlap import Booleans
from attribution.analysis.relations import Words

MEASURES = ("area", "empty")
ALL = "all words"


@dataclass(frozen=True, slots=True)
class TagRow:
    """A Universal POS tag: its ``words`` in ``images``, the mean marked share of the image, the share of empty maps."""

    tag: str
    words: int
    images: int
    area: Estimate
    empty: float


def measure(words: Words, places: Mapping[int, int], masks: Booleans) -> dict[str, Any]:
    """Per tag, and of all words: their number, the sum of their marked shares, and how many mark nothing."""
    shares = masks.mean(axis=(1, 2)) if len(masks) else []
    tags: dict[str, list[float]] = {}
    for index, row in places.items():
        for group in (words[index].tag or "untagged", ALL):
            sums = tags.setdefault(group, [0, 0.0, 0])
            sums[0] += 1
            sums[1] += float(shares[row])
            sums[2] += int(shares[row] == 0)
    return {"tags": tags, "without_map": len(words) - len(places)}


@dataclass
class Intensity:
    """Adds records of images up; ``seed`` decides the bootstrap over prompts."""

    seed: int = 0
    resamples: int = 1000
    without_map: int = 0
    means: GroupedMeans = field(init=False)

    def __post_init__(self) -> None:
        self.means = GroupedMeans(MEASURES, self.seed, self.resamples)

    def add(self, prompt: str, record: dict[str, Any]) -> None:
        """Add the record of one image; images of one ``prompt`` are one cluster."""
        for tag, (count, *sums) in record["tags"].items():
            self.means.add(prompt, tag, int(count), sums)
        self.without_map += record["without_map"]

    def rows(self) -> list[TagRow]:
        """Tags, most words first, and last the row of all words."""
        return [self._row(tag) for tag in [*(tag for tag in self.means.groups if tag != ALL), ALL]]

    def _row(self, tag: str) -> TagRow:
        counts = self.means.count(tag), self.means.additions(tag)
        return TagRow(tag, *counts, self.means.mean(tag, "area"), self.means.mean(tag, "empty").value)
