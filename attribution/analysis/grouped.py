"""Means of groups with bootstrap intervals in one pass, in memory that does not grow with the data.

A resample gives each cluster (such as a prompt with all its images) a Poisson(1) weight that depends only on the seed
and the cluster's name, so that clusters need be neither kept nor adjacent; with many it is the ordinary bootstrap.
Sources: J. A. Hanley and B. MacGibbon (2006), Computer Methods and Programs in Biomedicine 83:57; N. Chamandy,
O. Muralidharan, A. Najmi and S. Naidu (2012), "Estimating uncertainty for massive data streams", Google.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from attribution.analysis.intervals import NOWHERE, Estimate, percentile_interval
from attribution.errors import AnalysisError

FEWEST = 10
"""Additions (images) of a group below which its means have no interval: a percentile bootstrap is too narrow there."""
NO_VALUES = "no values"
FEW = f"under {FEWEST} images"
ONE_CLUSTER = "one prompt"

Floats = NDArray[np.float64]


@dataclass
class _Group:
    weighted: Floats
    sums: Floats
    additions: int = 0
    first: str = ""
    several: bool = False


@dataclass
class GroupedMeans:
    """Means of ``measures`` in named groups, added a cluster's sums at a time.

    ``seed`` decides the resamples; the same additions in any order give the same intervals but for rounding.
    """

    measures: Sequence[str]
    seed: int = 0
    resamples: int = 1000
    confidence: float = 0.95
    _groups: dict[str, _Group] = field(default_factory=dict, init=False)
    _last: tuple[str, Floats] | None = field(default=None, init=False)

    def add(self, cluster: str, group: str, count: int, sums: Iterable[float]) -> None:
        """Add ``count`` values of ``group`` whose sums, one a measure, are ``sums``; nothing when there are none.

        Raises AnalysisError when a sum is not a number, or there is another number of them.
        """
        row = np.array([count, *sums], dtype=np.float64)
        if len(row) != len(self.measures) + 1 or not np.isfinite(row).all() or count < 0:
            raise AnalysisError(f"{cluster!r} adds {row.tolist()} to {group!r}: give a count and {self.measures}.")
        if not count:
            return
        found = self._groups.get(group) or self._opened(group, cluster)
        found.weighted += self._weights(cluster)[:, None] * row
        found.sums += row
        found.additions += 1
        found.several |= cluster != found.first

    @property
    def groups(self) -> list[str]:
        """The groups, most values first, then by name."""
        return sorted(self._groups, key=lambda name: (-self.count(name), name))

    def count(self, group: str) -> int:
        """How many values the group has."""
        return round(self._groups[group].sums[0]) if group in self._groups else 0

    def additions(self, group: str) -> int:
        """How many additions, such as images, they came in."""
        return self._groups[group].additions if group in self._groups else 0

    def mean(self, group: str, measure: str) -> Estimate:
        """The mean of a measure, with a percentile interval over clusters; no interval below FEWEST additions."""
        if group not in self._groups:
            return Estimate.undefined(NO_VALUES)
        found, column = self._groups[group], self._column(measure)
        value = float(found.sums[column] / found.sums[0])
        return self._estimate(value, self._resampled(group, column), [found])

    def difference(self, group: str, other: str, measure: str) -> Estimate:
        """The mean of ``group`` minus that of ``other``; both are resampled together, by cluster."""
        if group not in self._groups or other not in self._groups:
            return Estimate.undefined(NO_VALUES)
        column, pair = self._column(measure), [self._groups[group], self._groups[other]]
        means = [float(found.sums[column] / found.sums[0]) for found in pair]
        drawn = self._resampled(group, column) - self._resampled(other, column)
        return self._estimate(means[0] - means[1], drawn, pair)

    def contrast(self, group: str, measure: str, other: str) -> Estimate:
        """The mean of one measure minus that of another in the same group; both are resampled together."""
        if group not in self._groups:
            return Estimate.undefined(NO_VALUES)
        found, columns = self._groups[group], (self._column(measure), self._column(other))
        means = [float(found.sums[column] / found.sums[0]) for column in columns]
        drawn = [self._resampled(group, column) for column in columns]
        return self._estimate(means[0] - means[1], drawn[0] - drawn[1], [found])

    def _estimate(self, value: float, drawn: Floats, groups: list[_Group]) -> Estimate:
        if not all(found.several for found in groups):
            return Estimate(value, NOWHERE, ONE_CLUSTER)
        if min(found.additions for found in groups) < FEWEST:
            return Estimate(value, NOWHERE, FEW)
        return Estimate(value, percentile_interval(drawn, self.confidence))

    def _resampled(self, group: str, column: int) -> Floats:
        weighted = self._groups[group].weighted
        # A resample without any of the group's clusters says nothing of its mean.
        means: Floats = np.divide(
            weighted[:, column], weighted[:, 0], out=np.full(len(weighted), math.nan), where=weighted[:, 0] > 0
        )
        return means

    def _column(self, measure: str) -> int:
        return list(self.measures).index(measure) + 1

    def _opened(self, group: str, cluster: str) -> _Group:
        width = len(self.measures) + 1
        self._groups[group] = _Group(np.zeros((self.resamples, width)), np.zeros(width), first=cluster)
        return self._groups[group]

    def _weights(self, cluster: str) -> Floats:
        if self._last is None or self._last[0] != cluster:
            digest = hashlib.blake2b(f"{self.seed} {cluster}".encode(), digest_size=16).digest()
            rng = np.random.default_rng(int.from_bytes(digest))
            self._last = cluster, rng.poisson(1.0, self.resamples).astype(np.float64)
        return self._last[1]
