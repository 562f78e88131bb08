"""All comparisons between groups (the tags of a study), with the correction for making several at once.

Source of the correction: S. Holm (1979), Scandinavian Journal of Statistics 6:65.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attribution.analysis.clustered import Comparison, compare_groups
from attribution.analysis.kinds import column, numbered
from attribution.errors import AnalysisError


@dataclass(frozen=True)
class Contrast:
    """``first`` against ``second``; ``p_holm`` is adjusted for all contrasts of the call, NaN where ``p_value`` is."""

    first: str
    second: str
    comparison: Comparison
    p_holm: float

    @property
    def p_value(self) -> float:
        return self.comparison.p_value


def compare_all(
    values: npt.ArrayLike,
    groups: npt.ArrayLike,
    clusters: npt.ArrayLike | None = None,
    *,
    rng: np.random.Generator,
    pairs: Iterable[tuple[str, str]] | None = None,
    resamples: int = 2000,
    permutations: int = 10_000,
    confidence: float = 0.95,
) -> tuple[Contrast, ...]:
    """Compare groups two by two: ``values``, ``groups`` (such as tags) and ``clusters`` (such as images), (N,) each.

    ``pairs`` are the planned contrasts, in order; without them all, each group against every later one in ascending
    order. A group without values has undefined contrasts. Intervals are not adjusted; p values are, by Holm's method.
    Give ``clusters`` as numbers or text that name the same image in every group.
    """
    data = column(values, "values")
    names, number = numbered(groups, len(data), "groups")
    places = {str(name): number == at for at, name in enumerate(names)}
    labels = None if clusters is None else numbered(clusters, len(data), "clusters")[1]
    nobody = np.zeros(len(data), dtype=bool)
    compared = []
    for first, second in itertools.combinations(places, 2) if pairs is None else pairs:
        chosen = [places.get(name, nobody) for name in (str(first), str(second))]
        at = [None, None] if labels is None else [labels[mask] for mask in chosen]
        comparison = compare_groups(
            data[chosen[0]],
            data[chosen[1]],
            *at,
            rng=rng,
            resamples=resamples,
            permutations=permutations,
            confidence=confidence,
        )
        compared.append((str(first), str(second), comparison))
    adjusted = holm([comparison.p_value for _, _, comparison in compared])
    return tuple(Contrast(*names, p_holm=p) for names, p in zip(compared, adjusted, strict=True))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p values, in the order given, each at most 1; NaN ones stay NaN and are not counted."""
    known = sorted((at for at, p in enumerate(p_values) if not math.isnan(p)), key=lambda at: p_values[at])
    outside = [p for p in p_values if not math.isnan(p) and not 0 <= p <= 1]
    if outside:
        raise AnalysisError(f"p value {outside[0]!r} is not between 0 and 1.")
    adjusted, largest = [math.nan] * len(p_values), 0.0
    for rank, place in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted
