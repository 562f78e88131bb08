"""Latent-class aggregation: the true label of each item and each rater's errors, estimated together.

Source: A. P. Dawid and A. M. Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm",
Applied Statistics 28:20 (1979), equations 2.3 to 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attribution.analysis.alpha import Floats, Integers
from attribution.errors import AnalysisError


@dataclass(frozen=True)
class LatentClasses:
    """The fitted model; items and raters are those of ``items`` and ``raters``, in ascending order.

    ``posteriors`` (I, K): how likely each label is to be an item's true one. ``prevalence`` (K,): of true labels.
    ``confusion`` (R, K, K): how often a rater gives the label of the last axis where that of the middle one is true;
    a row of NaN where no item of that label reached the rater. ``log_likelihoods``: one a step, never falling.
    ``converged`` is False when the steps ran out first.
    """

    items: npt.NDArray[np.generic]
    raters: npt.NDArray[np.generic]
    posteriors: Floats
    prevalence: Floats
    confusion: Floats
    log_likelihoods: tuple[float, ...]
    converged: bool

    @property
    def labels(self) -> Integers:
        """The likeliest label of each item, shape (I,); the lower of two equally likely ones."""
        return np.asarray(self.posteriors.argmax(axis=1), dtype=np.int64)


def dawid_skene(
    items: npt.ArrayLike,
    raters: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    classes: int | None = None,
    tolerance: float = 1e-9,
    steps: int = 1000,
) -> LatentClasses:
    """Fit the model to answers in long form: ``labels[n]`` (0 to classes - 1) by ``raters[n]`` on ``items[n]``.

    Starts from each item's shares of votes and stops when a step raises the log-likelihood by less than ``tolerance``
    of its size. EM finds a local maximum, and with few answers a rater there may be many.
    """
    given = np.asarray(labels)
    kinds = check_answers(given, items, raters, classes)
    item_names, item = np.unique(np.asarray(items), return_inverse=True)
    rater_names, rater = np.unique(np.asarray(raters), return_inverse=True)
    posteriors = np.zeros((len(item_names), kinds))
    np.add.at(posteriors, (item, given), 1.0)
    posteriors /= posteriors.sum(axis=1, keepdims=True)
    history: list[float] = []
    while True:
        prevalence, confusion = _maximise(posteriors, item, rater, given, len(rater_names))
        posteriors, likelihood = _expect(prevalence, confusion, item, rater, given)
        history.append(likelihood)
        converged = len(history) > 1 and history[-1] - history[-2] <= tolerance * abs(history[-1])
        if converged or len(history) >= steps:
            return LatentClasses(
                item_names, rater_names, posteriors, prevalence, confusion, tuple(history), bool(converged)
            )


def _maximise(
    posteriors: Floats, item: Integers, rater: Integers, given: Integers, raters: int
) -> tuple[Floats, Floats]:
    """Prevalence and confusions that make the posteriors likeliest (equations 2.3 and 2.4)."""
    kinds = posteriors.shape[1]
    cell = rater * kinds + given
    weights = [np.bincount(cell, posteriors[item, true], raters * kinds) for true in range(kinds)]
    counts = np.stack(weights, axis=1).reshape(raters, kinds, kinds).transpose(0, 2, 1)
    totals = counts.sum(axis=2, keepdims=True)
    confusion = np.divide(counts, totals, out=np.full_like(counts, np.nan), where=totals > 0)
    return posteriors.mean(axis=0), confusion


def _expect(
    prevalence: Floats, confusion: Floats, item: Integers, rater: Integers, given: Integers
) -> tuple[Floats, float]:
    """Posteriors of the items' labels (equation 2.5) and the log-likelihood of all answers."""
    items, kinds = int(item.max()) + 1, len(prevalence)
    with np.errstate(divide="ignore"):
        log_answer = np.log(np.nan_to_num(confusion))[rater, :, given]
        joint = np.tile(np.log(prevalence), (items, 1))
    for true in range(kinds):
        joint[:, true] += np.bincount(item, log_answer[:, true], items)
    highest = joint.max(axis=1, keepdims=True)
    shares = np.exp(joint - highest)
    totals = shares.sum(axis=1, keepdims=True)
    return shares / totals, float((highest + np.log(totals)).sum())


def check_answers(
    given: npt.NDArray[np.generic], items: npt.ArrayLike, raters: npt.ArrayLike, classes: int | None
) -> int:
    """The number of classes of answers in long form; raises AnalysisError when the columns do not fit together."""
    shapes = {np.shape(items), np.shape(raters), given.shape}
    if len(shapes) != 1 or given.ndim != 1 or not given.size:
        raise AnalysisError(f"items, raters and labels have shapes {sorted(shapes)}: give three equal, filled columns.")
    if not np.issubdtype(given.dtype, np.integer) or int(given.min()) < 0:
        raise AnalysisError("labels are not whole numbers from 0: number the classes 0, 1, 2, ...")
    found = int(given.max()) + 1
    if classes is not None and found > classes:
        raise AnalysisError(f"label {found - 1} is not one of {classes} classes: they are numbered from 0.")
    return classes or found
