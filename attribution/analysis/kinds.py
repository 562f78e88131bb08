"""Clusters of the values of two groups, counted by kind, with what is resampled and permuted of them.

Two clusters with the same values in the same groups are of one kind, and interchangeable. A bootstrap resample of any
number of clusters is then one multinomial draw over the kinds, and a permutation one hypergeometric and one binomial.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attribution.analysis.alpha import Floats, Integers, group_rows
from attribution.errors import AnalysisError

_BLOCK = 4_000_000
_LARGEST = 50_000_000
# A statistic that equals the observed one but for rounding is as extreme as it.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Kinds:
    """``number[k]`` clusters hold value ``values[v]`` ``counts[k, g, v]`` times in group g (0 first, 1 second).

    Shapes: ``values`` (V,), ascending; ``counts`` (K, 2, V); ``number`` (K,).
    """

    values: Floats
    counts: Integers
    number: Integers

    @classmethod
    def of_two(
        cls,
        first: npt.ArrayLike,
        second: npt.ArrayLike,
        first_clusters: npt.ArrayLike | None = None,
        second_clusters: npt.ArrayLike | None = None,
    ) -> Kinds:
        """From the values of two groups, (N1,) and (N2,), with a cluster label each; without labels each is its own."""
        one, two = column(first, "first"), column(second, "second")
        labels = _labels(one, two, first_clusters, second_clusters)
        values, codes = np.unique(np.concatenate([one, two]), return_inverse=True)
        group = np.repeat([0, 1], [len(one), len(two)])
        width, clusters = max(1, len(values)), int(labels.max(initial=-1)) + 1
        if clusters * 2 * width > _LARGEST:
            raise AnalysisError(f"{width} different values in {clusters} clusters are too many: round the values.")
        cells = np.bincount((labels * 2 + group) * width + codes, minlength=clusters * 2 * width)
        rows, number = group_rows(cells.reshape(clusters, 2 * width))
        return cls(values if len(values) else np.zeros(1), rows.reshape(-1, 2, width), number)

    @property
    def shared(self) -> npt.NDArray[np.bool_]:
        """Which kinds have values in both groups, (K,)."""
        return np.asarray((self.counts.sum(axis=2) > 0).all(axis=1))

    @property
    def clusters_per_group(self) -> tuple[int, int]:
        """How many clusters have a value in the first and in the second group."""
        present = self.counts.sum(axis=2) > 0
        return int(self.number[present[:, 0]].sum()), int(self.number[present[:, 1]].sum())

    @property
    def totals(self) -> Floats:
        """How often each value occurs in each group, (1, 2, V)."""
        return np.asarray(np.tensordot(self.number, self.counts, 1)[np.newaxis], dtype=np.float64)

    def resampled(self, rng: np.random.Generator, resamples: int) -> Floats:
        """The totals of clusters drawn with replacement, (resamples, 2, V)."""
        clusters, flat = int(self.number.sum()), self.counts.reshape(len(self.counts), -1).astype(np.float64)
        blocks = [
            rng.multinomial(clusters, self.number / clusters, size=size) @ flat
            for size in blocks_of(resamples, len(self.number))
        ]
        return np.asarray(np.concatenate(blocks).reshape(resamples, 2, -1), dtype=np.float64)

    def permutation_p(self, rng: np.random.Generator, permutations: int) -> float:
        """Two-sided p value of equal means: clusters of one group change groups at random, clusters of both swap them.

        Exact where clusters are interchangeable under the hypothesis, and asymptotically right where only the means are
        equal, since the difference is studentised (Chung and Romano 2013). Never 0 (Phipson and Smyth 2010).
        """
        order = np.argsort(self.shared, kind="stable")
        counts, number = self.counts[order], self.number[order]
        alone = int(np.count_nonzero(~self.shared))
        in_first = np.where(counts[:, 0].sum(axis=1) > 0, number, 0)
        # A cluster of one group may stand in either; one of both stands as it is, or turned round.
        counts[:alone] = np.stack([counts[:alone].sum(axis=1), np.zeros_like(counts[:alone, 0])], axis=1)
        kept, turned = (_moments(each, self._centred()) for each in (counts, counts[:, ::-1]))
        rest = number @ turned
        observed = abs(float(_studentised(in_first[np.newaxis] @ (kept - turned) + rest)[0]))
        extreme = 0
        for size in blocks_of(permutations, len(number)):
            moved = _choose(rng, number[:alone], int(in_first[:alone].sum()), size)
            swapped = rng.binomial(number[alone:], 0.5, size=(size, len(number) - alone))
            drawn = _studentised(np.concatenate([moved, swapped], axis=1) @ (kept - turned) + rest)
            extreme += int(np.count_nonzero(np.abs(drawn) >= observed - _ROUNDING))
        return (extreme + 1) / (permutations + 1)

    def _centred(self) -> Floats:
        """The values around their mean, so that sums of squares lose no digits."""
        return np.asarray(self.values - np.average(self.values, weights=self.totals[0].sum(axis=0)))


def column(values: npt.ArrayLike, name: str) -> Floats:
    """Finite numbers of shape (N,); raises AnalysisError, with the column's name, where they are not."""
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise AnalysisError(f"{name} is not a column of numbers: {error}.") from error
    if numbers.ndim != 1:
        raise AnalysisError(f"{name} has shape {numbers.shape}: give one column of numbers.")
    if not np.isfinite(numbers).all():
        at = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise AnalysisError(f"{name} holds {numbers[at]} at place {at}: leave such values out.")
    return numbers


def numbered(labels: npt.ArrayLike, length: int, name: str) -> tuple[npt.NDArray[np.generic], Integers]:
    """The distinct labels, ascending, and each one's number among them, (length,)."""
    given = np.asarray(labels)
    check_labels(given, length, name)
    distinct, codes = np.unique(given, return_inverse=True)
    return distinct, codes.astype(np.int64)


def check_labels(labels: npt.NDArray[np.generic], length: int, name: str) -> None:
    """Raise AnalysisError unless there is one label for each of ``length`` values."""
    if labels.shape != (length,):
        raise AnalysisError(f"{name} has shape {labels.shape}: give one label for each of the {length} values.")


def blocks_of(draws: int, width: int) -> Iterator[int]:
    """Sizes that add up to ``draws``, such that a block of rows of ``width`` numbers stays small (32 MB)."""
    if draws < 1:
        raise AnalysisError(f"{draws} resamples: draw at least one.")
    step = max(1, _BLOCK // max(1, width))
    while draws > 0:
        yield min(step, draws)
        draws -= step


def _labels(
    one: Floats, two: Floats, first_clusters: npt.ArrayLike | None, second_clusters: npt.ArrayLike | None
) -> Integers:
    if (first_clusters is None) != (second_clusters is None):
        raise AnalysisError("clusters are given for one group only: give them for both, or for neither.")
    if first_clusters is None or second_clusters is None:
        return np.arange(len(one) + len(two), dtype=np.int64)
    given = [np.asarray(first_clusters), np.asarray(second_clusters)]
    for labels, values, name in zip(given, (one, two), ("first", "second"), strict=True):
        check_labels(labels, len(values), f"{name}_clusters")
    return numbered(np.concatenate(given), len(one) + len(two), "clusters")[1]


def _moments(counts: npt.NDArray[np.number], values: Floats) -> Floats:
    """Per kind, (K, 20): its sum and size in the first and in the second group, and their products with each other."""
    sums, sizes = counts @ values, counts.sum(axis=2)
    row = np.stack([sums[:, 0], sizes[:, 0], sums[:, 1], sizes[:, 1]], axis=1).astype(np.float64)
    return np.concatenate([row, (row[:, :, np.newaxis] * row[:, np.newaxis, :]).reshape(-1, 16)], axis=1)


def _difference(sums: Floats) -> tuple[Floats, Floats]:
    """Difference of means and its standard error, (B,) each, from summed moments (B, 20).

    A cluster's influence on the difference is linear in its moments, so the sum of its squares is a quadratic form.
    """
    s1, n1, s2, n2 = sums[:, :4].T
    influence = np.stack([1 / n1, -s1 / n1**2, -1 / n2, s2 / n2**2], axis=1)
    variance = np.einsum("bi,bij,bj->b", influence, sums[:, 4:].reshape(-1, 4, 4), influence)
    return s1 / n1 - s2 / n2, np.sqrt(np.maximum(variance, 0.0))


def _studentised(sums: Floats) -> Floats:
    """The difference over its standard error; 0 where the means are equal, infinite where only the error is 0."""
    difference, error = _difference(sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(difference) < _ROUNDING, 0.0, difference / np.where(error < _ROUNDING, 0.0, error))


def _choose(rng: np.random.Generator, number: Integers, chosen: int, size: int) -> Integers:
    """``chosen`` clusters of all kinds without replacement, ``size`` times: (size, K)."""
    if not len(number):
        return np.zeros((size, 0), dtype=np.int64)
    return np.asarray(rng.multivariate_hypergeometric(number, chosen, size=size, method="marginals"), dtype=np.int64)
