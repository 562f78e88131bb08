"""Intervals for proportions, their differences and means. All are two-sided with a given confidence.

Sources: E. B. Wilson (1927), JASA 22:209; R. G. Newcombe (1998), Statistics in Medicine 17:857 (single proportions)
and 17:873 (differences, method 10); O. Miettinen and M. Nurminen (1985), Statistics in Medicine 4:213.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from attribution.errors import AnalysisError


class Interval(NamedTuple):
    """Lower and upper end; both NaN when there is no interval."""

    low: float
    high: float


NOWHERE = Interval(math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval. ``reason`` says why the value, or else the interval, is NaN; "" where neither is."""

    value: float
    interval: Interval = NOWHERE
    reason: str = ""

    @classmethod
    def undefined(cls, reason: str) -> Estimate:
        return cls(math.nan, NOWHERE, reason)


def wilson(successes: int, total: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion, without continuity correction; NaN ends for a total of 0."""
    _check_proportion(successes, total)
    if total == 0:
        return NOWHERE
    z = _z(confidence)
    centre = (successes + z * z / 2) / (total + z * z)
    half = z / (total + z * z) * math.sqrt(successes * (total - successes) / total + z * z / 4)
    # At the ends of the scale the formula meets 0 and 1 exactly, but for rounding.
    low = 0.0 if successes == 0 else centre - half
    return Interval(low, 1.0 if successes == total else centre + half)


def newcombe(successes: tuple[int, int], totals: tuple[int, int], confidence: float = 0.95) -> Interval:
    """Newcombe's hybrid score interval (method 10) of ``p1 - p2``; NaN ends when a total is 0."""
    if 0 in totals:
        return NOWHERE
    p1, p2 = successes[0] / totals[0], successes[1] / totals[1]
    one, two = wilson(successes[0], totals[0], confidence), wilson(successes[1], totals[1], confidence)
    low = p1 - p2 - math.hypot(p1 - one.low, two.high - p2)
    return Interval(low, p1 - p2 + math.hypot(one.high - p1, p2 - two.low))


def miettinen_nurminen(successes: tuple[int, int], totals: tuple[int, int], confidence: float = 0.95) -> Interval:
    """Miettinen and Nurminen's score interval of ``p1 - p2``; NaN ends when a total is 0.

    The ends are the differences at which the score statistic, with its variance by the maximum-likelihood proportions
    under that difference and the factor N / (N - 1), meets the normal quantile; found by bisection.
    """
    for count, total in zip(successes, totals, strict=True):
        _check_proportion(count, total)
    if 0 in totals:
        return NOWHERE
    observed = successes[0] / totals[0] - successes[1] / totals[1]
    z = _z(confidence)
    low = _bisect(lambda d: _score(d, successes, totals) > z, -1.0, observed)
    return Interval(low, _bisect(lambda d: _score(d, successes, totals) >= -z, observed, 1.0))


def bootstrap_mean(
    values: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    *,
    rng: np.random.Generator,
    resamples: int = 10_000,
    confidence: float = 0.95,
) -> Interval:
    """Percentile bootstrap interval of a mean, resampling whole clusters (such as the values of one image).

    ``values`` and ``clusters`` have shape (N,); without clusters every value is its own. Clusters with the same sum
    and size are interchangeable, so a resample is one multinomial draw over those kinds. NaN ends for fewer than two
    clusters, which no resampling can vary.
    """
    data = np.asarray(values, dtype=np.float64)
    labels = np.arange(len(data)) if clusters is None else np.asarray(clusters)
    if data.ndim != 1 or labels.shape != data.shape:
        raise AnalysisError(f"values {data.shape} and clusters {labels.shape} differ in shape: give one cluster each.")
    if not np.isfinite(data).all():
        raise AnalysisError("values hold one that is not a finite number: leave such values out.")
    _, cluster = np.unique(labels, return_inverse=True)
    sizes = np.bincount(cluster)
    if len(sizes) < 2:
        return NOWHERE
    kinds, frequency = np.unique(np.stack([np.bincount(cluster, weights=data), sizes]), axis=1, return_counts=True)
    means = np.empty(resamples)
    step = max(1, 4_000_000 // len(frequency))
    for at in range(0, resamples, step):
        block = means[at : at + step]
        draws = rng.multinomial(len(sizes), frequency / len(sizes), size=len(block))
        block[:] = (draws @ kinds[0]) / (draws @ kinds[1])
    return percentile_interval(means, confidence)


def percentile_interval(statistics: npt.NDArray[np.float64], confidence: float = 0.95) -> Interval:
    """The central part of resampled statistics (linear quantiles, NaN left out); NaN ends when none is a number."""
    check_confidence(confidence)
    known = statistics[~np.isnan(statistics)]
    if not len(known):
        return NOWHERE
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def _score(difference: float, successes: tuple[int, int], totals: tuple[int, int]) -> float:
    """Score statistic of ``p1 - p2 = difference``; infinite where its variance is zero and the data disagree."""
    n = sum(totals)
    q1, q2 = _restricted(difference, successes, totals)
    variance = (q1 * (1 - q1) / totals[0] + q2 * (1 - q2) / totals[1]) * n / (n - 1)
    gap = successes[0] / totals[0] - successes[1] / totals[1] - difference
    if variance <= 0:
        return math.copysign(math.inf, gap) if abs(gap) > 1e-12 else 0.0
    return gap / math.sqrt(variance)


def _restricted(d: float, successes: tuple[int, int], totals: tuple[int, int]) -> tuple[float, float]:
    """Maximum-likelihood proportions under ``p1 - p2 = d``: the closed root of a cubic (Miettinen, Nurminen 1985)."""
    (x1, x2), (n1, n2) = successes, totals
    n, x = n1 + n2, x1 + x2
    l2, l1, l0 = (n1 + 2 * n2) * d - n - x, (n2 * d - n - 2 * x2) * d + x, x2 * d * (1 - d)
    q = l2**3 / (3 * n) ** 3 - l1 * l2 / (6 * n**2) + l0 / (2 * n)
    p = math.copysign(math.sqrt(max(0.0, l2**2 / (3 * n) ** 2 - l1 / (3 * n))), q)
    angle = (math.pi + math.acos(max(-1.0, min(1.0, q / p**3 if p else 0.0)))) / 3
    p2 = min(1.0, max(0.0, 2 * p * math.cos(angle) - l2 / (3 * n)))
    return min(1.0, max(0.0, p2 + d)), p2


def _bisect(left_of_it: Callable[[float], bool], low: float, high: float) -> float:
    for _ in range(60):
        middle = (low + high) / 2
        if left_of_it(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _z(confidence: float) -> float:
    check_confidence(confidence)
    return NormalDist().inv_cdf((1 + confidence) / 2)


def check_confidence(confidence: float) -> None:
    """Raise AnalysisError unless the confidence is a share between 0 and 1."""
    if not 0 < confidence < 1:
        raise AnalysisError(f"confidence is {confidence!r}: give a share between 0 and 1, such as 0.95.")


def _check_proportion(successes: int, total: int) -> None:
    if not 0 <= successes <= total:
        raise AnalysisError(f"{successes} successes of {total}: successes must lie between 0 and the total.")
