"""What is said of raters, against computing it anew and by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from attribution.analysis import quality
from attribution.analysis.agreement import krippendorff_alpha, masi_alpha
from attribution.analysis.alpha import masi_distances
from attribution.analysis.ratings import Ratings
from attribution.errors import AnalysisError

X = math.nan


@pytest.fixture(scope="module")
def table():
    """Seven raters x 60 items, one to four ratings an item."""
    rng = np.random.default_rng(0)
    cells = np.full((7, 60), X)
    for item in range(60):
        chosen = rng.choice(7, rng.integers(1, 5), replace=False)
        cells[chosen, item] = np.clip(rng.integers(1, 6) + rng.integers(-1, 2, len(chosen)), 1, 5)
    return cells


def long(cells) -> Ratings:
    rater, item = np.nonzero(~np.isnan(cells))
    return Ratings.of(item, rater, np.asarray(cells)[rater, item])


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_without_each_rater_is_alpha_computed_anew(table, level):
    alpha, without = quality.alpha_without_each(long(table), level)
    anew = [krippendorff_alpha(np.delete(table, rater, axis=0), level) for rater in range(7)]
    assert alpha == pytest.approx(krippendorff_alpha(table, level), abs=1e-12)
    assert without == pytest.approx(anew, abs=1e-12)


def test_alpha_without_each_rater_of_sets():
    rng = np.random.default_rng(1)
    sets = [{1, 2}, {1}, {2}, set()]
    codes = rng.integers(0, 3, (4, 25)).astype(float)
    _, without = quality.alpha_without_each(long(codes), masi_distances(sets), categories=[0, 1, 2, 3])
    for rater in range(4):
        others = [[sets[int(code)] for code in row] for row in np.delete(codes, rater, axis=0)]
        assert without[rater] == pytest.approx(masi_alpha(others), abs=1e-12)


def test_alpha_that_leaves_no_pair_or_one_value_is_nan():
    alpha, without = quality.alpha_without_each(long([[1, 2], [1, 3]]), "nominal")
    assert math.isfinite(alpha)
    assert np.isnan(without).all()
    alpha, without = quality.alpha_without_each(long([[2, 2], [2, 2], [2, 1]]), "ordinal")
    assert np.isnan(without).tolist() == [False, False, True]


def test_the_rater_at_odds_with_the_others_raises_alpha_by_leaving():
    rng = np.random.default_rng(2)
    truth = rng.integers(1, 6, 80)
    cells = np.clip(truth + rng.integers(-1, 2, (5, 80)), 1, 5).astype(float)
    cells[3] = rng.integers(1, 6, 80)
    found = quality.rater_quality(*columns(cells))
    assert found.alpha_change.argmax() == 3
    assert found.alpha_change[3] > 0 > np.delete(found.alpha_change, 3).max()
    assert found.correlation.argmin() == 3


def columns(cells):
    rater, item = np.nonzero(~np.isnan(cells))
    return item, rater, np.asarray(cells)[rater, item]


def test_correlation_with_the_others_is_numpys(table):
    correlation, compared = quality.leave_one_out_correlation(long(table))
    for rater in range(7):
        rest = np.delete(table, rater, axis=0)
        both = ~np.isnan(table[rater]) & (~np.isnan(rest)).any(axis=0)
        expected = np.corrcoef(table[rater, both], np.nanmean(rest[:, both], axis=0))[0, 1]
        assert correlation[rater] == pytest.approx(expected)
        assert compared[rater] == both.sum()


def test_correlation_needs_three_items_and_variation():
    correlation, compared = quality.leave_one_out_correlation(long([[1, 2, X], [2, 3, X], [X, X, 4]]))
    assert np.isnan(correlation).all()
    assert compared.tolist() == [2, 2, 0]
    constant, _ = quality.leave_one_out_correlation(long([[3, 3, 3, 3], [1, 2, 3, 4], [1, 2, 4, 4]]))
    assert math.isnan(constant[0])
    assert constant[2] > 0.9


def test_runs_follow_the_order_of_answers():
    items, raters = list(range(6)) * 2, ["b"] * 6 + ["a"] * 6
    ratings = [1, 1, 2, 2, 2, 1, 5, 4, 5, 4, 5, 4]
    table = Ratings.of(items, raters, ratings)
    assert quality.longest_runs(table).tolist() == [1, 3]
    # In the order 0, 2, 4, 1, 3, 5 rater a gave 5, 5, 5, 4, 4, 4 and rater b 1, 2, 2, 1, 2, 1.
    order = [0, 3, 1, 4, 2, 5] * 2
    assert quality.longest_runs(table, order).tolist() == [3, 2]
    brute = [max(len(list(run)) for _, run in itertools.groupby(ratings[at : at + 6])) for at in (6, 0)]
    assert brute == [1, 3]


def test_entropy_in_bits():
    table = long([[3, 3, 3, 3, 3], [1, 2, 3, 4, 5], [1, 1, 2, 2, X]])
    assert quality.answer_entropy(table) == pytest.approx([0, math.log2(5), 1])


def test_pace_is_numpys_medians():
    rng = np.random.default_rng(3)
    raters, seconds = rng.integers(0, 5, 90), rng.lognormal(1, 1, 90)
    seconds[rng.random(90) < 0.2] = X
    seconds[raters == 4] = X
    found = quality.pace(raters, seconds, quick=1.5)
    for rater in range(4):
        own = seconds[(raters == rater) & ~np.isnan(seconds)]
        assert found.timed[rater] == len(own)
        assert found.median_seconds[rater] == pytest.approx(np.median(own))
        assert found.quick_share[rater] == pytest.approx((own < 1.5).mean())
    assert found.timed[4] == 0
    assert math.isnan(found.median_seconds[4])
    assert math.isnan(found.quick_share[4])


def test_effective_number_of_raters():
    assert quality.effective_raters([20, 20, 20, 20]) == pytest.approx(4)
    # Shares .5, .25, .25: 1 / (.25 + .0625 + .0625).
    assert quality.effective_raters([2, 1, 1]) == pytest.approx(1 / 0.375)


def test_pass_rate_has_wilsons_interval():
    # Newcombe (1998), 1 of 29 the other way round.
    found = quality.pass_rate(28, 29)
    assert found.interval == pytest.approx((1 - 0.1718, 1 - 0.0061), abs=5e-5)
    assert quality.pass_rate(0, 0).reason == "no checks"


def test_spammer_scores_of_known_raters():
    perfect, guess, inverse = np.eye(2), np.full((2, 2), 0.5), np.eye(2)[::-1]
    # Two classes: (sensitivity + specificity - 1) squared.
    usual = np.array([[0.9, 0.1], [0.3, 0.7]])
    scores = quality.spammer_scores([perfect, guess, inverse, usual])
    assert scores == pytest.approx([1, 0, 1, (0.9 + 0.7 - 1) ** 2])
    always = np.tile([0.7, 0.2, 0.1], (3, 1))
    partly = np.array([[1.0, 0, 0], [0, 1.0, 0], [X, X, X]])
    unknown = np.full((3, 3), X)
    assert quality.spammer_scores([np.eye(3), always, partly])[:3] == pytest.approx([1, 0, 1])
    assert math.isnan(quality.spammer_scores([unknown])[0])


def test_everything_together(table):
    found = quality.rater_quality(*columns(table))
    assert found.given.tolist() == (~np.isnan(table)).sum(axis=1).tolist()
    assert found.shares.sum() == pytest.approx(1)
    assert found.largest_share == found.shares.max()
    assert found.alpha_change == pytest.approx(found.alpha_without - found.alpha)
    assert 1 < found.effective_raters <= 7
    assert len(found.longest_run) == len(found.entropy) == len(found.raters) == 7


def test_one_rater_is_described_without_the_others():
    found = quality.rater_quality([1, 2, 3], ["a"] * 3, [4, 4, 5])
    assert math.isnan(found.alpha)
    assert np.isnan(found.correlation).all()
    assert (found.longest_run[0], found.effective_raters, found.largest_share) == (2, 1, 1)


def test_raters_with_nothing_in_common_are_described_one_by_one():
    found = quality.rater_quality([1, 2, 3, 4], ["a", "a", "b", "b"], [4, 4, 5, 1])
    assert math.isnan(found.alpha)
    assert np.isnan(found.correlation).all()
    assert found.compared.tolist() == [0, 0]
    assert found.longest_run.tolist() == [2, 1]
    assert found.entropy == pytest.approx([0, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quality.rater_quality([], [], []), "no ratings"),
        (lambda: quality.rater_quality([1, 1], ["a", "a"], [1, 2]), "rater a rated item 1 twice"),
        (lambda: quality.rater_quality([1, 2], ["a", "b"], [1, X]), "nan at place 1"),
        (lambda: quality.rater_quality([1, 2], ["a", "b"], [1, 2], order=[1]), "order has shape"),
        (lambda: quality.rater_quality([1, 2], ["a", "b"], [1, 7], categories=[1, 2]), "rating 7"),
        (lambda: quality.pace(["a"], [-1], quick=1), "seconds"),
        (lambda: quality.effective_raters([0, 0]), "adds up to 0"),
        (lambda: quality.spammer_scores([[0.5, 0.5]]), r"\(1, 2\)"),
    ],
)
def test_errors_name_the_value(call, message):
    with pytest.raises(AnalysisError, match=message):
        call()
