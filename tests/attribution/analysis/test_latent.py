"""Dawid and Skene's model against a plain computation of its equations, and on data whose truth is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from attribution.analysis.aggregation import dawid_skene
from attribution.errors import AnalysisError


def drawn(rng, items=300, kinds=3):
    """Answers of five raters of known skill, the last one answering at random."""
    truth = rng.choice(kinds, items, p=[0.5, 0.3, 0.2])
    skills = [0.9, 0.85, 0.8, 0.7, 1 / 3]
    confusion = np.array([np.full((kinds, kinds), (1 - s) / (kinds - 1)) for s in skills])
    for rater, skill in enumerate(skills):
        np.fill_diagonal(confusion[rater], skill)
    item, rater = np.divmod(np.arange(items * len(skills)), len(skills))
    label = np.array([rng.choice(kinds, p=confusion[r, truth[i]]) for i, r in zip(item, rater, strict=True)])
    return truth, confusion, item, rater, label


@pytest.fixture(scope="module")
def answers():
    return drawn(np.random.default_rng(0))


def test_labels_and_error_rates_are_recovered(answers):
    truth, confusion, item, rater, label = answers
    fitted = dawid_skene(item, rater, label)
    votes = np.zeros((len(truth), 3))
    np.add.at(votes, (item, label), 1)
    assert fitted.converged
    assert (fitted.labels == truth).mean() > max(0.93, (votes.argmax(axis=1) == truth).mean())
    assert np.abs(fitted.confusion - confusion).max() < 0.13
    assert fitted.prevalence == pytest.approx(np.bincount(truth) / len(truth), abs=0.03)


def test_the_likelihood_never_falls(answers):
    _, _, item, rater, label = answers
    history = dawid_skene(item, rater, label).log_likelihoods
    assert len(history) > 5
    assert all(later >= earlier - 1e-9 for earlier, later in itertools.pairwise(history))


def test_the_result_is_a_fixed_point_of_the_equations_written_out(answers):
    _, _, item, rater, label = answers
    fitted = dawid_skene(item, rater, label, tolerance=1e-15)
    for chosen in range(0, 300, 37):
        joint = []
        for true in range(3):
            likelihood = fitted.prevalence[true]
            for r, given in zip(rater[item == chosen], label[item == chosen], strict=True):
                likelihood *= fitted.confusion[r, true, given]
            joint.append(likelihood)
        assert fitted.posteriors[chosen] == pytest.approx(np.array(joint) / sum(joint), abs=1e-9)
    for r in range(5):
        for true in range(3):
            weight = fitted.posteriors[item[rater == r], true]
            shares = [weight[label[rater == r] == given].sum() / weight.sum() for given in range(3)]
            assert fitted.confusion[r, true] == pytest.approx(shares, abs=1e-4)


def test_order_and_names_of_answers_do_not_matter(answers):
    _, _, item, rater, label = answers
    order = np.random.default_rng(1).permutation(len(item))
    names = np.array(["e", "c", "a", "d", "b"])
    plain = dawid_skene(item, rater, label)
    other = dawid_skene(item[order], names[rater[order]], label[order])
    assert other.posteriors == pytest.approx(plain.posteriors, abs=1e-6)
    assert other.raters.tolist() == ["a", "b", "c", "d", "e"]
    assert other.confusion[[4, 2, 0, 3, 1]] == pytest.approx(plain.confusion, abs=1e-5)


def test_raters_who_agree_are_believed_and_the_likelihood_is_that_of_the_prevalence():
    fitted = dawid_skene([1, 1, 2, 2], ["a", "b", "a", "b"], [0, 0, 1, 1], classes=3)
    assert fitted.labels.tolist() == [0, 1]
    assert fitted.log_likelihoods[-1] == pytest.approx(2 * math.log(0.5))
    # Nobody met an item of the third class.
    assert np.isnan(fitted.confusion[:, 2]).all()


def test_steps_that_run_out_are_told(answers):
    _, _, item, rater, label = answers
    fitted = dawid_skene(item, rater, label, steps=2)
    assert not fitted.converged
    assert len(fitted.log_likelihoods) == 2


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1], [1, 2], [0, 0]), "equal, filled columns"),
        (([], [], []), "equal, filled columns"),
        (([1], [1], [0.5]), "whole numbers"),
        (([1], [1], [-1]), "whole numbers"),
        (([1], [1], [7]), "label 7 is not one of 5 classes"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns, message):
    with pytest.raises(AnalysisError, match=message):
        dawid_skene(*columns, classes=5)


# Dawid and Skene (1979), table 1: 45 patients; the first anaesthetist's three classes, then those of four others
# (read in github.com/dallascard/dawid_skene).
ANAESTHETISTS = """
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111 2223212 1211111
1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222 1111111 1111111 1121121
1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222
"""


def test_dawid_and_skenes_own_example_by_their_equations():
    patients = [[int(digit) - 1 for digit in patient] for patient in ANAESTHETISTS.split()]
    counts = np.zeros((45, 5, 4))
    for patient, answers in enumerate(patients):
        for place, answer in enumerate(answers):
            counts[patient, max(0, place - 2), answer] += 1
    posterior = counts.sum(axis=1) / 7
    for _ in range(400):
        share = posterior.mean(axis=0)
        rates = np.einsum("ij,ikl->kjl", posterior, counts)
        rates /= rates.sum(axis=2, keepdims=True)
        joint = share * np.prod(rates[np.newaxis] ** counts[:, :, np.newaxis, :], axis=(1, 3))
        posterior = joint / joint.sum(axis=1, keepdims=True)
    item = np.repeat(np.arange(45), 7)
    rater = np.tile([0, 0, 0, 1, 2, 3, 4], 45)
    fitted = dawid_skene(item, rater, np.ravel(patients), tolerance=1e-15)
    assert fitted.posteriors == pytest.approx(posterior, abs=1e-6)
    assert fitted.prevalence == pytest.approx(share, abs=1e-6)
    assert fitted.confusion == pytest.approx(rates, abs=1e-5)
    assert fitted.log_likelihoods[-1] == pytest.approx(np.log(joint.sum(axis=1)).sum(), abs=1e-6)
    # Most patients are of the first two classes, eight in ten.
    assert fitted.prevalence[:2].sum() == pytest.approx(0.82, abs=0.01)
