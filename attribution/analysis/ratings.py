"""Ratings in long form, one row a rating, as the statistics of raters read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attribution.analysis.alpha import Floats, Integers
from attribution.analysis.kinds import column, numbered
from attribution.errors import AnalysisError


@dataclass(frozen=True)
class Ratings:
    """``values[n]`` was given by rater number ``rater[n]`` to item number ``item[n]``; all (N,).

    The numbers are places in ``item_names`` and ``rater_names``, which are ascending. No rater rates an item twice.
    """

    item_names: npt.NDArray[np.generic]
    rater_names: npt.NDArray[np.generic]
    item: Integers
    rater: Integers
    values: Floats

    @classmethod
    def of(cls, items: npt.ArrayLike, raters: npt.ArrayLike, ratings: npt.ArrayLike) -> Ratings:
        """From three columns of equal length; raises AnalysisError where a rater rates an item twice."""
        values = column(ratings, "ratings")
        item_names, item = numbered(items, len(values), "items")
        rater_names, rater = numbered(raters, len(values), "raters")
        key = np.sort(item * max(1, len(rater_names)) + rater)
        twice = np.flatnonzero(np.diff(key) == 0)
        if len(twice):
            first, second = divmod(int(key[twice[0]]), len(rater_names))
            raise AnalysisError(
                f"rater {rater_names[second]} rated item {item_names[first]} twice: leave out all but one rating."
            )
        return cls(item_names, rater_names, item, rater, values)

    @property
    def items(self) -> int:
        return len(self.item_names)

    @property
    def raters(self) -> int:
        return len(self.rater_names)

    @property
    def per_item(self) -> Integers:
        """How many ratings each item has, (I,)."""
        return np.bincount(self.item, minlength=self.items)

    @property
    def per_rater(self) -> Integers:
        """How many ratings each rater gave, (R,)."""
        return np.bincount(self.rater, minlength=self.raters)
