"""Crossed intervals against the analysis of variance, plain resampling and data of known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from attribution.analysis.crossed import crossed_mean, crossed_medians, pigeonhole_interval
from attribution.analysis.intervals import bootstrap_mean
from attribution.errors import AnalysisError

# Shrout and Fleiss (1979), table 2: six targets by four judges.
TARGETS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
ITEM, RATER = np.divmod(np.arange(24), 4)


def drawn(rng, items=120, raters=20, severity=0.5):
    """Three raters an item on a five-point scale."""
    quality, bias = rng.normal(3.5, 0.8, items), rng.normal(0, severity, raters)
    item = np.repeat(np.arange(items), 3)
    rater = np.concatenate([rng.choice(raters, 3, replace=False) for _ in range(items)])
    rating = np.clip(np.round(quality[item] + bias[rater] + rng.normal(0, 0.7, len(item))), 1, 5)
    return item, rater, rating


def test_complete_tables_give_the_analysis_of_variances_components():
    found = crossed_mean(ITEM, RATER, TARGETS.ravel())
    # Mean squares of Shrout and Fleiss's table 3: 11.2417 targets, 32.4861 judges, 1.0194 residual.
    assert found.item_variance == pytest.approx((11.2417 - 1.0194) / 4, abs=1e-4)
    assert found.rater_variance == pytest.approx((32.4861 - 1.0194) / 6, abs=1e-4)
    assert found.residual_variance == pytest.approx(1.0194, abs=1e-4)
    variance = found.item_variance / 6 + found.rater_variance / 4 + found.residual_variance / 24
    assert found.standard_error == pytest.approx(math.sqrt(variance))
    assert found.mean.value == pytest.approx(TARGETS.mean())
    centre = sum(found.mean.interval) / 2
    assert centre == pytest.approx(found.mean.value)


def test_unbalanced_components_solve_the_expectations_written_out_by_pairs():
    item, rater, y = drawn(np.random.default_rng(1), items=25, raters=6)
    keep = np.random.default_rng(2).random(len(y)) < 0.8
    item, rater, y = item[keep], rater[keep], y[keep]
    # Half the squared differences of all pairs that share an item, a rater, or neither in particular, and how much of
    # each variance such a pair holds: a pair differs by the raters' variance unless it shares its rater, and so on.
    squares, shares = np.zeros(3), np.zeros((3, 3))
    per_item, per_rater = np.bincount(item), np.bincount(rater)
    for first in range(len(y)):
        for second in range(len(y)):
            if first == second:
                continue
            half = (y[first] - y[second]) ** 2 / 2
            holds = np.array([item[first] != item[second], rater[first] != rater[second], True], dtype=float)
            if item[first] == item[second]:
                squares[0] += half / per_item[item[first]]
                shares[0] += holds / per_item[item[first]]
            if rater[first] == rater[second]:
                squares[1] += half / per_rater[rater[first]]
                shares[1] += holds / per_rater[rater[first]]
            squares[2] += half
            shares[2] += holds
    expected = np.maximum(np.linalg.solve(shares, squares), 0)
    found = crossed_mean(item, rater, y)
    assert (found.item_variance, found.rater_variance, found.residual_variance) == pytest.approx(tuple(expected))


def test_the_resampled_mean_of_medians_is_that_of_plain_copies():
    item, rater, y = drawn(np.random.default_rng(3), items=30, raters=8)
    rng, plain = np.random.default_rng(4), []
    for _ in range(1500):
        often = np.bincount(rng.integers(0, 8, 8), minlength=8)
        medians = []
        for chosen in rng.integers(0, 30, 30):
            copies = np.repeat(y[item == chosen], often[rater[item == chosen]])
            medians += [np.median(copies)] if len(copies) else []
        plain.append(np.mean(medians))
    truth = np.mean([np.median(y[item == number]) for number in range(30)])
    ends = np.quantile(plain, [0.025, 0.975]) + truth - np.mean(plain)
    found = pigeonhole_interval(item, rater, y, rng=np.random.default_rng(5), resamples=1500)
    assert found.value == pytest.approx(truth)
    assert found.interval == pytest.approx(ends, abs=0.05)


def test_the_resampled_mean_agrees_with_the_algebra():
    item, rater, y = drawn(np.random.default_rng(6), items=300, raters=40)
    exact = crossed_mean(item, rater, y).mean
    found = pigeonhole_interval(item, rater, y, rng=np.random.default_rng(7), statistic="mean", resamples=600)
    assert found.value == pytest.approx(exact.value)
    width = found.interval.high - found.interval.low
    # A little wider rather than narrower (Owen 2007).
    assert 0.85 < width / (exact.interval.high - exact.interval.low) < 1.4


def test_intervals_cover_the_truth_where_items_alone_do_not():
    rng, covered = np.random.default_rng(8), np.zeros(2)
    truth = np.mean([drawn(rng)[2].mean() for _ in range(300)])
    for _ in range(100):
        item, rater, y = drawn(rng)
        exact = crossed_mean(item, rater, y).mean.interval
        alone = bootstrap_mean(y, item, rng=rng, resamples=200)
        covered += [end.low < truth < end.high for end in (exact, alone)]
    assert covered[0] >= 88
    assert covered[1] <= 80


def test_the_variance_of_medians_is_three_jackknifes_written_out():
    item, rater, y = drawn(np.random.default_rng(12), items=40, raters=9)
    keep = np.random.default_rng(13).random(len(y)) < 0.85
    item, rater, y = np.unique(item[keep], return_inverse=True)[1], rater[keep], y[keep]
    image = item // 3
    items = int(item.max()) + 1

    def total(without):
        """The sum of medians of all items; an item that loses its only rating keeps its median."""
        medians = []
        for number in range(items):
            rest = y[(item == number) & ~without]
            medians.append(np.median(rest if len(rest) else y[item == number]))
        return np.sum(medians)

    nobody = np.zeros(len(y), dtype=bool)
    medians = np.array([np.median(y[item == number]) for number in range(items)])
    between = [(medians[np.unique(item[image == at])] - medians.mean()).sum() for at in range(int(image.max()) + 1)]
    clusters = len(between)
    parts = [clusters / (clusters - 1) * np.square(between).sum()]
    for groups in (
        [rater == at for at in range(9)],
        [g for at in range(9) for of in range(clusters) if (g := (rater == at) & (image == of)).any()],
    ):
        # One rating of an item is left out at a time, so a group's change is the sum of its ratings' changes.
        changes = [sum(total(np.arange(len(y)) == n) - total(nobody) for n in np.flatnonzero(g)) for g in groups]
        parts.append((len(groups) - 1) / len(groups) * ((changes - np.mean(changes)) ** 2).sum())
    variance = max(parts[0] + parts[1] - parts[2], *parts[:2])
    found = crossed_medians(item, rater, y, clusters=image)
    # Student's t with eight degrees of freedom: 2.306.
    half = 2.306 * math.sqrt(variance) / items
    assert found.value == pytest.approx(medians.mean())
    assert found.interval == pytest.approx((found.value - half, found.value + half), abs=1e-4)


def test_the_intervals_of_medians_agree_and_cover():
    rng, covered = np.random.default_rng(14), 0
    studies = [drawn(rng, items=150, raters=15) for _ in range(120)]
    truth = np.mean([np.median(y.reshape(-1, 3), axis=1).mean() for _, _, y in studies])
    widths = []
    for item, rater, y in studies:
        end = crossed_medians(item, rater, y).interval
        covered += end.low < truth < end.high
        widths.append(end.high - end.low)
    assert covered >= 106
    resampled = pigeonhole_interval(*studies[0], rng=rng, resamples=400)
    assert crossed_medians(*studies[0]).value == resampled.value
    assert 0.8 < (resampled.interval.high - resampled.interval.low) / np.mean(widths) < 1.5


def test_clusters_of_items_are_drawn_together():
    item, rater, y = drawn(np.random.default_rng(9), items=60, raters=20, severity=0.0)
    order = np.argsort(np.argsort([y[item == number].mean() for number in range(60)]))
    alone = pigeonhole_interval(item, rater, y, rng=np.random.default_rng(1), resamples=300)
    together = pigeonhole_interval(
        item, rater, y, rng=np.random.default_rng(1), clusters=(order // 10)[item], resamples=300
    )
    assert together.value == alone.value
    assert together.interval.high - together.interval.low > 1.5 * (alone.interval.high - alone.interval.low)


def test_names_and_order_do_not_matter():
    item, rater, y = drawn(np.random.default_rng(10))
    shuffled = np.random.default_rng(11).permutation(len(y))
    names = np.array([f"r{number:02}" for number in range(20)])
    one = crossed_mean(item, rater, y)
    two = crossed_mean(item[shuffled] * 7, names[rater[shuffled]], y[shuffled])
    assert two.standard_error == pytest.approx(one.standard_error)
    assert two.df == pytest.approx(one.df)


@pytest.mark.parametrize(
    ("items", "raters", "ratings", "reason"),
    [
        ([], [], [], "no ratings"),
        ([1, 1], ["a", "b"], [3, 4], "one item"),
        ([1, 2], ["a", "a"], [3, 4], "one rater"),
        ([1, 2], ["a", "b"], [3, 4], "no item has two raters"),
        ([1, 1, 2, 2], ["a", "b", "c", "d"], [3, 4, 4, 5], "no rater has two items"),
    ],
)
def test_what_cannot_be_told_apart_says_so(items, raters, ratings, reason):
    found = crossed_mean(items, raters, ratings)
    assert found.mean.reason == reason
    assert math.isnan(found.standard_error)
    assert math.isnan(found.mean.interval.low)


def test_resampling_needs_two_of_each():
    rng = np.random.default_rng(0)
    assert pigeonhole_interval([1, 1], ["a", "b"], [3, 4], rng=rng).reason == "one cluster"
    assert pigeonhole_interval([1, 2], ["a", "a"], [3, 4], rng=rng).reason == "one rater"
    assert pigeonhole_interval([], [], [], rng=rng).reason == "no ratings"
    for columns, reason in (
        (([1, 1], ["a", "b"], [3, 4]), "one cluster"),
        (([1, 2], ["a", "a"], [3, 4]), "one rater"),
        (([], [], []), "no ratings"),
    ):
        assert crossed_medians(*columns).reason == reason
    assert crossed_medians([1, 2], ["a", "b"], [3, 4]).value == 3.5


def test_equal_ratings_have_no_width():
    found = crossed_mean(ITEM, RATER, np.full(24, 4))
    assert found.mean.interval == (4, 4)
    assert pigeonhole_interval(ITEM, RATER, np.full(24, 4), rng=np.random.default_rng(0)).interval == (4, 4)
    assert crossed_medians(ITEM, RATER, np.full(24, 4)).interval == (4, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: crossed_mean([1, 1], ["a", "a"], [3, 4]), "rater a rated item 1 twice"),
        (lambda rng: crossed_mean([1], ["a", "b"], [3, 4]), "items has shape"),
        (lambda rng: crossed_mean([1, 1], ["a", "b"], [3, 4], confidence=95), "confidence is 95"),
        (lambda rng: crossed_medians([1, 1], ["a", "b"], [3, 4], confidence=0), "confidence is 0"),
        (lambda rng: pigeonhole_interval([1, 2], "ab", [3, 4], rng=rng, statistic="mode"), "'mode'"),
        (
            lambda rng: pigeonhole_interval([5, 5], ["a", "b"], [3, 4], rng=rng, clusters=[1, 2]),
            "item 5 is in two clusters",
        ),
    ],
)
def test_errors_name_the_value(call, message):
    with pytest.raises(AnalysisError, match=message):
        call(np.random.default_rng(0))
