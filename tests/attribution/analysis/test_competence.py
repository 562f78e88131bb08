"""MACE against its equations written out answer by answer, and on data whose truth is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from attribution.analysis.competence import mace
from attribution.analysis.special import digamma
from attribution.errors import AnalysisError


def drawn(rng, items=240, raters=18):
    """Five answers an item in four classes; raters 0 to 4 hardly know and guess the first class mostly."""
    truth = rng.choice(4, items, p=[0.25, 0.25, 0.25, 0.25])
    known = np.where(np.arange(raters) < 5, 0.05, rng.uniform(0.6, 0.95, raters))
    item = np.repeat(np.arange(items), 5)
    rater = np.concatenate([rng.choice(raters, 5, replace=False) for _ in range(items)])
    guess = rng.choice(4, len(item), p=[0.7, 0.1, 0.1, 0.1])
    return truth, known, item, rater, np.where(rng.random(len(item)) < known[rater], truth[item], guess)


@pytest.fixture(scope="module")
def answers():
    return drawn(np.random.default_rng(0))


@pytest.fixture(scope="module")
def fitted(answers):
    return mace(*answers[2:], rng=np.random.default_rng(1), restarts=3, tolerance=1e-13)


def test_labels_and_competences_are_recovered(answers, fitted):
    truth, known, item, _, label = answers
    votes = np.zeros((len(truth), 4))
    np.add.at(votes, (item, label), 1)
    assert fitted.converged
    assert (fitted.labels == truth).mean() > max(0.88, (votes.argmax(axis=1) == truth).mean() + 0.05)
    assert fitted.competence[:5].max() < 0.25 < 0.45 < fitted.competence[5:].min()
    assert np.corrcoef(fitted.competence, known)[0, 1] > 0.95
    assert (fitted.guesses[:5].argmax(axis=1) == 0).all()


def test_the_bound_never_falls(fitted):
    assert len(fitted.bounds) > 5
    assert all(later >= earlier - 1e-9 for earlier, later in itertools.pairwise(fitted.bounds))


def test_the_result_is_a_fixed_point_of_the_equations_written_out(answers, fitted):
    _, _, item, rater, label = answers
    knew, spammed, guessed = np.full(18, 0.5), np.full(18, 0.5), np.full((18, 4), 10.0)
    for known, r, a in zip(known_shares(fitted, item, rater, label), rater, label, strict=True):
        knew[r] += known
        spammed[r] += 1 - known
        guessed[r, a] += 1 - known
    assert fitted.competence == pytest.approx(knew / (knew + spammed), abs=1e-5)
    assert fitted.guesses == pytest.approx(guessed / guessed.sum(axis=1, keepdims=True), abs=1e-5)
    for chosen in range(0, 240, 41):
        joint = []
        for true in range(4):
            product = 1.0
            for n in np.flatnonzero(item == chosen):
                r, a = rater[n], label[n]
                spam = math.exp(digamma(spammed[r]) - digamma(knew[r] + spammed[r]))
                habit = math.exp(digamma(guessed[r, a]) - digamma(guessed[r].sum()))
                know = math.exp(digamma(knew[r]) - digamma(knew[r] + spammed[r]))
                product *= spam * habit + know * (a == true)
            joint.append(product)
        assert fitted.posteriors[chosen] == pytest.approx(np.array(joint) / sum(joint), abs=1e-4)


def known_shares(fitted, item, rater, label):
    """How likely each answer was known, from the fitted means; the parameters' sizes follow from the answers."""
    given = np.bincount(rater, minlength=18)
    knew = fitted.competence * (given + 1)
    spammed = given + 1 - knew
    guessed = fitted.guesses * (spammed - 0.5 + 40)[:, np.newaxis]
    logs = digamma(guessed) - digamma(guessed.sum(axis=1))[:, np.newaxis]
    spam = np.exp(digamma(spammed) - digamma(given + 1.0))
    know = np.exp(digamma(knew) - digamma(given + 1.0))
    habit = (spam[:, np.newaxis] * np.exp(logs))[rater, label]
    return fitted.posteriors[item, label] * know[rater] / (habit + know[rater])


def test_names_and_order_of_answers_do_not_matter(answers, fitted):
    _, _, item, rater, label = answers
    order = np.random.default_rng(2).permutation(len(item))
    names = np.array([f"{(7 * number) % 18:02}" for number in range(18)])
    other = mace(
        item[order], names[rater[order]], label[order], rng=np.random.default_rng(3), restarts=3, tolerance=1e-13
    )
    place = np.searchsorted(other.raters, names)
    assert other.posteriors == pytest.approx(fitted.posteriors, abs=1e-4)
    assert other.competence[place] == pytest.approx(fitted.competence, abs=1e-4)


def test_the_same_seed_gives_the_same_fit(answers):
    one, two = (mace(*answers[2:], rng=np.random.default_rng(4), restarts=2) for _ in range(2))
    assert one.bounds == two.bounds


def test_restarts_never_end_lower(answers):
    alone = mace(*answers[2:], rng=np.random.default_rng(5), restarts=0)
    more = mace(*answers[2:], rng=np.random.default_rng(5), restarts=4)
    assert more.bounds[-1] >= alone.bounds[-1] - 1e-6


def test_unanimous_items_are_decided_and_tied_ones_are_not():
    fitted = mace([1, 1, 1, 2, 2], ["a", "b", "c", "a", "b"], [1, 1, 1, 0, 1], rng=np.random.default_rng(0))
    assert fitted.labels[0] == 1
    assert fitted.entropies[0] < fitted.entropies[1] <= math.log(2) + 1e-12


def test_one_class_is_certain():
    fitted = mace([1, 2], ["a", "a"], [0, 0], rng=np.random.default_rng(0))
    assert fitted.posteriors.tolist() == [[1.0], [1.0]]


def test_steps_that_run_out_are_told(answers):
    fitted = mace(*answers[2:], rng=np.random.default_rng(0), restarts=0, steps=2)
    assert not fitted.converged
    assert len(fitted.bounds) == 2


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1], [1, 2], [0, 0]), "equal, filled columns"),
        (([1], [1], [0.5]), "whole numbers"),
        (([1], [1], [7]), "label 7 is not one of 5 classes"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns, message):
    with pytest.raises(AnalysisError, match=message):
        mace(*columns, rng=np.random.default_rng(0), classes=5)
