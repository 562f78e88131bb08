"""MACE: a rater either knows an item's label or guesses by a habit of their own; both are estimated together.

Source: D. Hovy, T. Berg-Kirkpatrick, A. Vaswani and E. Hovy, "Learning Whom to Trust with MACE", NAACL 2013, with its
variational training and its priors: Beta(1/2, 1/2) on knowing, Dirichlet(10, ..., 10) on the habit of guessing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attribution.analysis.alpha import Floats, Integers
from attribution.analysis.latent import check_answers
from attribution.analysis.special import digamma, log_gamma
from attribution.errors import AnalysisError

KNOWING_PRIOR = 0.5
GUESSING_PRIOR = 10.0


@dataclass(frozen=True)
class Competence:
    """The fitted model; items and raters are those of ``items`` and ``raters``, in ascending order.

    ``posteriors`` (I, K): how likely each label is to be an item's true one. ``competence`` (R,): the expected share of
    answers that a rater gave knowingly. ``guesses`` (R, K): how often the rater's guesses are each label. ``bounds``:
    the lower bound of the log evidence after each step of the best start, never falling. ``converged`` is False when
    the steps ran out first.
    """

    items: npt.NDArray[np.generic]
    raters: npt.NDArray[np.generic]
    posteriors: Floats
    competence: Floats
    guesses: Floats
    bounds: tuple[float, ...]
    converged: bool

    @property
    def labels(self) -> Integers:
        """The likeliest label of each item, shape (I,); the lower of two equally likely ones."""
        return np.asarray(self.posteriors.argmax(axis=1), dtype=np.int64)

    @property
    def entropies(self) -> Floats:
        """How undecided each item's label is, in nats, shape (I,)."""
        logs = np.log(self.posteriors, out=np.zeros_like(self.posteriors), where=self.posteriors > 0)
        return np.asarray(np.abs((self.posteriors * logs).sum(axis=1)))


def mace(
    items: npt.ArrayLike,
    raters: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    classes: int | None = None,
    restarts: int = 10,
    tolerance: float = 1e-9,
    steps: int = 1000,
) -> Competence:
    """Fit the model to answers in long form: ``labels[n]`` (0 to classes - 1) by ``raters[n]`` on ``items[n]``.

    Starts once from answers half of which were known, and ``restarts`` times from random shares; the start with the
    highest bound wins. Each stops when a step raises its bound by less than ``tolerance`` of one plus its size.
    """
    given = np.asarray(labels)
    kinds = check_answers(given, items, raters, classes)
    if restarts < 0 or steps < 1:
        raise AnalysisError(f"{restarts} restarts and {steps} steps: give at least 0 restarts and 1 step.")
    item_names, item = np.unique(np.asarray(items), return_inverse=True)
    rater_names, rater = np.unique(np.asarray(raters), return_inverse=True)
    answers = _Answers(item, rater, given, (len(item_names), len(rater_names), kinds))
    starts = [np.full(len(given), 0.5), *(rng.random(len(given)) for _ in range(restarts))]
    fits = [answers.fit(start, tolerance, steps) for start in starts]
    best = max(fits, key=lambda fit: fit.bounds[-1])
    return Competence(
        item_names,
        rater_names,
        best.posteriors,
        best.knowing[:, 0] / best.knowing.sum(axis=1),
        best.guessing / best.guessing.sum(axis=1, keepdims=True),
        tuple(best.bounds),
        best.converged,
    )


@dataclass(frozen=True)
class _Fit:
    """Parameters of the raters' distributions, Beta (R, 2) and Dirichlet (R, K), and what they say of the items."""

    posteriors: Floats
    knowing: Floats
    guessing: Floats
    bounds: list[float]
    converged: bool


@dataclass(frozen=True)
class _Answers:
    """Answers by numbers of item, rater and label, (N,) each; ``shape`` is (items, raters, labels)."""

    item: Integers
    rater: Integers
    label: Integers
    shape: tuple[int, int, int]

    def fit(self, known: Floats, tolerance: float, steps: int) -> _Fit:
        """Climb from ``known`` (N,): how likely each answer is to have been known."""
        bounds: list[float] = []
        while True:
            knowing, guessing = self._counted(known)
            posteriors, known, evidence = self._weighed(knowing, guessing)
            prior = _divergence(knowing, KNOWING_PRIOR) + _divergence(guessing, GUESSING_PRIOR)
            bounds.append(evidence - prior)
            converged = len(bounds) > 1 and bounds[-1] - bounds[-2] <= tolerance * (1 + abs(bounds[-1]))
            if converged or len(bounds) >= steps:
                return _Fit(posteriors, knowing, guessing, bounds, bool(converged))

    def _counted(self, known: Floats) -> tuple[Floats, Floats]:
        """The raters' Beta and Dirichlet parameters: priors plus expected counts of known and guessed answers."""
        _, raters, kinds = self.shape
        sure = np.bincount(self.rater, known, raters)
        guessed = np.bincount(self.rater * kinds + self.label, 1 - known, raters * kinds).reshape(raters, kinds)
        knowing = np.stack([sure, guessed.sum(axis=1)], axis=1) + KNOWING_PRIOR
        return knowing, np.asarray(guessed + GUESSING_PRIOR)

    def _weighed(self, knowing: Floats, guessing: Floats) -> tuple[Floats, Floats, float]:
        """Posteriors of the labels, how likely each answer was known, and the log of what both add up to."""
        items, _, kinds = self.shape
        knows, spams = np.exp(_expected_logs(knowing)).T
        guess = (spams[:, np.newaxis] * np.exp(_expected_logs(guessing)))[self.rater, self.label]
        right = guess + knows[self.rater]
        # An answer is a guess under every label but the one it names.
        gain = np.bincount(self.item * kinds + self.label, np.log(right / guess), items * kinds).reshape(items, kinds)
        highest = gain.max(axis=1, keepdims=True)
        shares = np.exp(gain - highest)
        totals = shares.sum(axis=1, keepdims=True)
        posteriors = shares / totals
        evidence = float(np.log(guess).sum() + (highest + np.log(totals)).sum()) - items * float(np.log(kinds))
        return posteriors, posteriors[self.item, self.label] * (1 - guess / right), evidence


def _expected_logs(parameters: Floats) -> Floats:
    """Expected logarithms of Dirichlet variables, row by row."""
    return np.asarray(digamma(parameters) - digamma(parameters.sum(axis=1, keepdims=True)))


def _divergence(parameters: Floats, prior: float) -> float:
    """Kullback-Leibler divergence of Dirichlet distributions, one a row, from symmetric priors, summed."""
    width = parameters.shape[1]
    normaliser = log_gamma(parameters.sum(axis=1)) - log_gamma(parameters).sum(axis=1)
    normaliser -= log_gamma(np.array(prior * width)) - width * log_gamma(np.array(prior))
    return float((normaliser + ((parameters - prior) * _expected_logs(parameters)).sum(axis=1)).sum())
