"""How many items a study needs for what it wants to tell apart, by normal approximation.

``power`` is the chance that a true difference is found significant at the two-sided level ``alpha``. Sizes count
independent units *per group*; units in clusters need :func:`design_effect` times as many. A test in the wrong direction
does not count as found, as in R's ``power.prop.test``.

Source: J. L. Fleiss, B. Levin and M. C. Paik, "Statistical Methods for Rates and Proportions", 3rd edition (2003),
section 4.2 (proportions, without its continuity correction); L. Kish, "Survey Sampling" (1965), section 5.4 (clusters).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attribution.analysis.alpha import Floats, Integers
from attribution.analysis.special import normal_cdf, normal_quantile
from attribution.errors import AnalysisError


def sample_size_two_proportions(p1: float, p2: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Units per group for the pooled z test to find ``p1`` against ``p2`` with the given power.

    The smallest n at which :func:`power_two_proportions` reaches it. With power 1/2 this is where shares *observed* at
    p1 and p2 become significant (:func:`significant_from`): 61% against 52% needs 234 per group for that, and 476 for
    a power of 80%.
    """
    _check_share(p1, p2, power=power, alpha=alpha)
    gap = abs(p1 - p2)
    if gap == 0:
        raise AnalysisError(f"p1 and p2 are both {p1:g}: no size finds a difference of nothing.")
    pooled = (p1 + p2) / 2
    null = normal_quantile(1 - alpha / 2) * math.sqrt(2 * pooled * (1 - pooled))
    other = normal_quantile(power) * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    return max(1, math.ceil(((null + other) / gap) ** 2))


def significant_from(p1: float, p2: float, alpha: float = 0.05) -> int:
    """The smallest size per group at which *observed* shares p1 and p2 differ at level alpha by the pooled z test.

    61% against 52% needs 234: z = 0.09 / sqrt(2 x 0.565 x 0.435 / 234) = 1.964. It is no plan: a study of this size
    finds a true difference as large in half of all cases.
    """
    return sample_size_two_proportions(p1, p2, 0.5, alpha)


def power_two_proportions(p1: float, p2: float, per_group: float, alpha: float = 0.05) -> float:
    """Power of the pooled z test with ``per_group`` units in each of two groups."""
    _check_share(p1, p2, alpha=alpha)
    _check_size(per_group)
    pooled, spread = (p1 + p2) / 2, math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    null = normal_quantile(1 - alpha / 2) * math.sqrt(2 * pooled * (1 - pooled))
    beyond = abs(p1 - p2) * math.sqrt(per_group) - null
    return normal_cdf(beyond / spread) if spread > 0 else float(beyond > 0)


def detectable_proportion(p1: float, per_group: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """The highest share below ``p1`` that ``per_group`` units tell from it with the given power; NaN where none is.

    By symmetry, the lowest share above p1 is ``1 - detectable_proportion(1 - p1, ...)``.
    """
    _check_share(p1, power=power, alpha=alpha)
    if power_two_proportions(p1, 0.0, per_group, alpha) < power:
        return math.nan
    return _meet(lambda p2: power_two_proportions(p1, p2, per_group, alpha) >= power, 0.0, p1)


def sample_size_two_means(difference: float, deviation: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Units per group to find a difference of means of scores with the given standard deviation (z test)."""
    _check_spread(deviation)
    if difference == 0:
        raise AnalysisError("difference is 0: no size finds a difference of nothing.")
    return max(1, math.ceil(2 * (_reach(power, alpha) * deviation / difference) ** 2))


def power_two_means(difference: float, deviation: float, per_group: float, alpha: float = 0.05) -> float:
    """Power to find a difference of means of ``per_group`` scores each, of the given standard deviation (z test)."""
    _check_spread(deviation)
    _check_size(per_group)
    _check_share(alpha=alpha)
    return normal_cdf(abs(difference) / (deviation * math.sqrt(2 / per_group)) - normal_quantile(1 - alpha / 2))


def detectable_difference(deviation: float, per_group: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest difference of means that ``per_group`` scores each find with the given power (z test)."""
    _check_spread(deviation)
    _check_size(per_group)
    return _reach(power, alpha) * deviation * math.sqrt(2 / per_group)


def design_effect(cluster_size: float, correlation: float) -> float:
    """How many times as many units clusters need: 1 + (size - 1) x the correlation of two units of one cluster."""
    if cluster_size < 1 or not -1 <= correlation <= 1:
        raise AnalysisError(f"clusters of {cluster_size} with correlation {correlation}: give at least 1, and -1 to 1.")
    return max(0.0, 1 + (cluster_size - 1) * correlation)


@dataclass(frozen=True)
class PlannedPower:
    """Chances by simulation: ``each`` (C,) contrast found after Holm's correction, ``any`` of them, and ``all``."""

    each: tuple[float, ...]
    any: float
    all: float


def power_of_contrasts(
    means: Sequence[float],
    deviation: float,
    per_group: float | Sequence[float],
    contrasts: Sequence[tuple[int, int]],
    *,
    rng: np.random.Generator,
    alpha: float = 0.05,
    simulations: int = 10_000,
) -> PlannedPower:
    """Power of planned contrasts between groups with true ``means``, Holm-corrected together.

    ``contrasts`` are pairs of places in ``means``; ``per_group`` is one size or one a group; ``deviation`` is of a
    group's scores. Group means are drawn from their normal distribution and compared by z tests.
    """
    _check_spread(deviation)
    _check_share(alpha=alpha)
    truth, sizes = (
        np.asarray(means, dtype=np.float64),
        np.broadcast_to(np.asarray(per_group, np.float64), (len(means),)),
    )
    for size in sizes:
        _check_size(float(size))
    first, second = _places(contrasts, len(truth))
    errors = deviation / np.sqrt(sizes)
    drawn = truth + errors * rng.standard_normal((simulations, len(truth)))
    z = np.abs(drawn[:, first] - drawn[:, second]) / np.hypot(errors[first], errors[second])
    found = _significant(z, alpha)
    return PlannedPower(
        tuple(found.mean(axis=0).tolist()), float(found.any(axis=1).mean()), float(found.all(axis=1).mean())
    )


def _reach(power: float, alpha: float) -> float:
    _check_share(power=power, alpha=alpha)
    return normal_quantile(1 - alpha / 2) + normal_quantile(power)


def _places(contrasts: Sequence[tuple[int, int]], groups: int) -> tuple[Integers, Integers]:
    places = np.asarray(contrasts, dtype=np.int64)
    if places.ndim != 2 or places.shape[1] != 2:
        raise AnalysisError(f"contrasts have shape {places.shape}: give pairs of places in means.")
    if places.min() < 0 or places.max() >= groups or np.any(places[:, 0] == places[:, 1]):
        raise AnalysisError(f"contrasts {places.tolist()} do not each name two of {groups} groups, from 0.")
    return places[:, 0], places[:, 1]


def _significant(z: Floats, alpha: float) -> npt.NDArray[np.bool_]:
    """Which absolute z statistics (S, C) Holm's method finds in each row: the largest, until the first that fails."""
    number = z.shape[1]
    needed = np.array([normal_quantile(1 - alpha / (2 * (number - rank))) for rank in range(number)])
    order = np.argsort(-z, axis=1)
    passed = np.logical_and.accumulate(np.take_along_axis(z, order, axis=1) >= needed, axis=1)
    found = np.zeros_like(passed)
    np.put_along_axis(found, order, passed, axis=1)
    return found


def _meet(reached: Callable[[float], bool], far: float, near: float) -> float:
    """The place nearest to ``near`` that is reached, by bisection from ``far``, which is."""
    for _ in range(60):
        middle = (far + near) / 2
        far, near = (middle, near) if reached(middle) else (far, middle)
    return far


def _check_share(*shares: float, power: float = 0.5, alpha: float = 0.5) -> None:
    for share in shares:
        if not 0 <= share <= 1:
            raise AnalysisError(f"share {share!r} is not between 0 and 1.")
    for name, value in (("power", power), ("alpha", alpha)):
        if not 0 < value < 1:
            raise AnalysisError(f"{name} is {value!r}: give a number between 0 and 1, such as 0.8 or 0.05.")


def _check_size(per_group: float) -> None:
    if not per_group >= 1:
        raise AnalysisError(f"{per_group!r} units per group: give at least 1.")


def _check_spread(deviation: float) -> None:
    if not deviation > 0:
        raise AnalysisError(f"standard deviation is {deviation!r}: give a positive number.")
