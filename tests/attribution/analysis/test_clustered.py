"""Comparisons of clustered values against hand calculation, enumeration and plain resampling."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from attribution.analysis.clustered import cliffs_delta, compare_groups, compare_pairs, compare_proportions, hedges_g
from attribution.analysis.contrasts import compare_all, holm
from attribution.analysis.kinds import Kinds
from attribution.analysis.special import t_quantile
from attribution.errors import AnalysisError


def seeded(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_cliffs_delta_of_the_effsize_packages_example():
    # The test of R's effsize: -0.25 (github.com/mtorchiano/effsize, after Cliff 1993).
    treatment, control = [10, 10, 20, 20, 20, 30, 30, 30, 40, 50], [10, 20, 30, 40, 40, 50]
    assert cliffs_delta(treatment, control) == pytest.approx(-0.25)
    assert cliffs_delta(control, treatment) == pytest.approx(0.25)
    assert cliffs_delta([2, 3], [1, 1]) == 1


def test_hedges_g_worked_by_hand():
    # Means 3 and 5, variances 1 and 4 with 3 values each: pooled 2.5; correction 1 - 3 / 15.
    assert hedges_g([2, 3, 4], [3, 5, 7]) == pytest.approx(-2 / math.sqrt(2.5) * 0.8)
    assert math.isnan(hedges_g([1, 1], [1, 1]))
    assert math.isnan(hedges_g([], [1, 1]))
    assert math.isnan(cliffs_delta([1], []))


def test_the_difference_has_the_plain_cluster_bootstraps_interval():
    rng = seeded()
    clusters = np.repeat(np.arange(30), rng.integers(1, 4, 30))
    second = rng.random(len(clusters)) < 0.4
    values = np.clip(rng.integers(1, 5, 30)[clusters] + rng.integers(0, 2, len(clusters)) + second, 1, 5)
    found = compare_groups(values[~second], values[second], clusters[~second], clusters[second], rng=seeded(1))
    members = [np.flatnonzero(clusters == number) for number in range(30)]
    plain = []
    for _ in range(3000):
        drawn = np.concatenate([members[at] for at in rng.integers(0, 30, 30)])
        one, two = values[drawn][~second[drawn]], values[drawn][second[drawn]]
        order = np.sign(one[:, np.newaxis] - two)
        plain.append((one.mean() - two.mean(), order.mean()))
    ends = np.quantile(plain, [0.025, 0.975], axis=0)
    assert found.difference.value == pytest.approx(values[~second].mean() - values[second].mean())
    assert found.difference.interval == pytest.approx(ends[:, 0], abs=0.05)
    assert found.cliffs_delta.interval == pytest.approx(ends[:, 1], abs=0.04)


def studentised(one: list[np.ndarray], two: list[np.ndarray]) -> float:
    """Difference of means over its cluster-robust standard error, written out."""
    parts = []
    for group in (one, two):
        total = sum(len(cluster) for cluster in group)
        mean = sum(cluster.sum() for cluster in group) / total
        parts.append((mean, sum(((cluster - mean).sum() / total) ** 2 for cluster in group)))
    return (parts[0][0] - parts[1][0]) / math.sqrt(parts[0][1] + parts[1][1])


def test_the_permutation_p_value_is_the_enumerations():
    clusters = [np.array(cluster, dtype=float) for cluster in ([5, 4], [4], [5, 5, 3], [2, 3], [3], [1, 2], [4, 3])]
    observed = abs(studentised(clusters[:3], clusters[3:]))
    drawn = [
        abs(studentised([clusters[at] for at in chosen], [clusters[at] for at in range(7) if at not in chosen]))
        for chosen in itertools.combinations(range(7), 3)
    ]
    exact = np.mean(np.array(drawn) >= observed - 1e-9)
    labels = np.repeat(np.arange(7), [len(cluster) for cluster in clusters])
    values, first = np.concatenate(clusters), labels < 3
    found = compare_groups(values[first], values[~first], labels[first], labels[~first], rng=seeded(), resamples=10)
    assert found.p_value == pytest.approx(exact, abs=0.015)
    assert found.clusters == (3, 4)


def test_clusters_of_both_groups_swap_them():
    # Five images with a word of each tag, always one better: only sign flips remain, 2 of 32 as extreme.
    first, second = [4, 3, 5, 4, 2], [3, 2, 4, 3, 1]
    images = list("abcde")
    found = compare_groups(first, second, images, images, rng=seeded(), permutations=20_000)
    assert found.p_value == pytest.approx(2 / 32, abs=0.01)
    assert found.difference.interval == pytest.approx((1, 1))
    # As separate images the difference drowns in what separates them.
    apart = compare_groups(first, second, rng=seeded())
    assert apart.p_value > 0.15
    assert apart.difference.value == pytest.approx(1)


def test_p_values_are_uniform_where_nothing_differs():
    rng, found = seeded(5), []
    for _ in range(150):
        clusters = np.repeat(np.arange(24), 2)
        values = rng.normal(size=24)[clusters] + rng.normal(size=48)
        first = clusters < 8
        values[first] *= 3
        comparison = compare_groups(
            values[first], values[~first], clusters[first], clusters[~first], rng=rng, resamples=1, permutations=199
        )
        found.append(comparison.p_value)
    # Unequal groups with unequal spreads: a mean difference that is not studentised rejects far more often.
    assert 0.01 <= np.mean(np.array(found) <= 0.05) <= 0.1
    assert 0.4 < np.mean(found) < 0.6


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [([], [1, 2], "no values in a group"), ([3], [1, 2, 4], "one cluster in a group")],
)
def test_groups_too_small_say_so(first, second, reason):
    found = compare_groups(first, second, rng=seeded())
    assert found.difference.reason == reason
    assert math.isnan(found.p_value)
    assert math.isnan(found.difference.interval.low)
    assert math.isnan(found.difference.value) == (not first)


def test_equal_values_differ_by_nothing():
    found = compare_groups([3, 3, 3], [3, 3], rng=seeded())
    assert (found.difference.value, found.cliffs_delta.value, found.p_value) == (0, 0, 1)
    assert found.hedges_g.reason == "all values equal"


def test_pairs_by_exact_sign_flips():
    # Differences 0, 1, 2, 3: |sum| is 6 in 2 of 8 ways.
    found = compare_pairs([1, 2, 3, 4], [1, 1, 1, 1], rng=seeded(), permutations=20_000)
    assert (found.difference.value, found.better, found.equal, found.worse) == (1.5, 3, 1, 0)
    assert found.p_value == pytest.approx(0.25, abs=0.01)


def test_pairs_of_one_image_flip_together():
    # The images' sums are 3 and -1; every way of flipping them gives a total of at least 2, the one observed.
    found = compare_pairs([3, 3, 3, 1], [2, 2, 2, 2], ["a", "a", "a", "b"], rng=seeded())
    assert (found.pairs, found.clusters) == (4, 2)
    assert found.p_value == 1
    alone = compare_pairs([3, 4], [2, 2], ["a", "a"], rng=seeded())
    assert alone.difference.reason == "one cluster in a group"
    assert (alone.difference.value, math.isnan(alone.p_value)) == (1.5, True)
    assert compare_pairs([], [], rng=seeded()).difference.reason == "no pairs"


def pairs_of_nouns():
    """Twelve noun pairs of one kind and ten of another, five to nine images each."""
    rng = seeded(3)
    sizes = rng.integers(5, 10, 22)
    chance = np.clip(np.where(np.arange(22) < 12, 0.7, 0.45) + rng.normal(scale=0.15, size=22), 0, 1)
    labels = np.repeat(np.arange(22), sizes)
    return labels, (rng.random(len(labels)) < chance[labels]).astype(int)


def test_shares_of_clusters_against_their_formulas_written_out():
    labels, right = pairs_of_nouns()
    first = labels < 12
    found = compare_proportions(right[first], right[~first], labels[first], labels[~first], rng=seeded())
    pooled_effect, plain_variance, variances = 0.0, 0.0, []
    n, overall = len(right), right.mean()
    for at, chosen in enumerate((first, ~first)):
        x, m = (np.bincount(labels[chosen], weights=w)[12 * at :] for w in (right[chosen], np.ones(chosen.sum())))
        share, clusters, size = x.sum() / m.sum(), len(x), m.sum()
        ratio_variance = clusters / (clusters - 1) * ((x - share * m) ** 2).sum() / size**2
        effect = ratio_variance / (share * (1 - share) / size)
        assert found.shares[at] == pytest.approx(share)
        assert found.design_effects[at] == pytest.approx(effect)
        # Rao and Scott (1992), equation 6, with two groups.
        pooled_effect += (1 - size / n) * share * (1 - share) * effect / (overall * (1 - overall))
        plain_variance += overall * (1 - overall) / size
        variances.append(ratio_variance)
    gap = found.shares[0] - found.shares[1]
    assert found.chi_squared == pytest.approx(gap**2 / plain_variance / pooled_effect)
    # Welch's degrees of freedom, of 12 and 10 clusters.
    df = sum(variances) ** 2 / (variances[0] ** 2 / 11 + variances[1] ** 2 / 9)
    half = t_quantile(0.975, df) * math.sqrt(sum(variances))
    assert 9 < df < 20
    assert found.difference.interval == pytest.approx((gap - half, gap + half))
    assert found.p_rao_scott == pytest.approx(math.erfc(math.sqrt(found.chi_squared / 2)))
    assert abs(found.p_value - found.p_rao_scott) < 0.05


def test_without_clusters_shares_have_the_unpooled_z():
    first, second = [1] * 61 + [0] * 39, [1] * 52 + [0] * 48
    found = compare_proportions(first, second, rng=seeded())
    # Unpooled variances with n - 1 below: .61 x .39 / 99 + .52 x .48 / 99.
    assert found.chi_squared == pytest.approx(0.09**2 / ((0.61 * 0.39 + 0.52 * 0.48) / 99))
    assert found.design_effects == pytest.approx((100 / 99, 100 / 99))


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (([], []), ([1], ["a"]), "no values in a group"),
        (([1, 0], ["a", "a"]), ([1, 0], ["b", "c"]), "one cluster in a group"),
        (([1, 1], ["a", "b"]), ([0, 0], ["c", "d"]), "all values equal"),
    ],
)
def test_shares_that_cannot_be_compared_say_so(first, second, reason):
    found = compare_proportions(first[0], second[0], first[1], second[1], rng=seeded())
    assert found.difference.reason == reason
    assert math.isnan(found.p_value)


def test_all_contrasts_in_order_with_holm():
    rng = seeded(2)
    tags = np.repeat(["VERB", "ADJ", "NUM"], 40)
    values = rng.integers(1, 5, 120) + (tags == "ADJ")
    found = compare_all(values, tags, np.arange(120), rng=seeded())
    assert [(c.first, c.second) for c in found] == [("ADJ", "NUM"), ("ADJ", "VERB"), ("NUM", "VERB")]
    assert [c.p_holm for c in found] == holm([c.p_value for c in found])
    assert found[0].comparison.difference.value == pytest.approx(
        values[tags == "ADJ"].mean() - values[tags == "NUM"].mean()
    )
    assert found == compare_all(values, tags, np.arange(120), rng=seeded())


def test_planned_contrasts_leave_undefined_ones_out_of_the_correction():
    values, tags = [1, 2, 1, 4, 5, 4, 5, 5], list("aaabbbbb")
    planned = compare_all(values, tags, rng=seeded(), pairs=[("b", "a"), ("a", "z")])
    assert [(c.first, c.second) for c in planned] == [("b", "a"), ("a", "z")]
    assert planned[0].p_holm == planned[0].p_value
    assert math.isnan(planned[1].p_holm)
    assert planned[1].comparison.difference.reason == "no values in a group"


def test_holm_leaves_nan_out():
    assert holm([0.01, math.nan, 0.04])[::2] == pytest.approx([0.02, 0.04])
    assert math.isnan(holm([0.01, math.nan])[1])


def test_kinds_count_clusters_with_the_same_values():
    kinds = Kinds.of_two([1, 1, 2], [5], ["a", "b", "c"], ["c"])
    assert kinds.number.sum() == 3
    assert sorted(kinds.number.tolist()) == [1, 2]
    assert kinds.clusters_per_group == (3, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: compare_groups([1, math.nan], [1], rng=seeded()), "first holds nan at place 1"),
        (lambda: compare_groups([1, 2], [1], [1], [1], rng=seeded()), "first_clusters has shape"),
        (lambda: compare_groups([1, 2], [1], [1, 2], rng=seeded()), "one group only"),
        (lambda: compare_groups([[1, 2]], [1], rng=seeded()), r"\(1, 2\)"),
        (lambda: compare_groups(["x"], [1], rng=seeded()), "not a column of numbers"),
        (lambda: compare_groups([1, 2], [1, 2], rng=seeded(), resamples=0), "0 resamples"),
        (lambda: compare_groups(np.arange(6000), [1], rng=seeded()), "6000 different values in 6001 clusters"),
        (lambda: compare_proportions([1, 0], [1, 0], rng=seeded(), confidence=95), "confidence is 95"),
        (lambda: compare_pairs([1, 2], [1], rng=seeded()), "both values of each item"),
        (lambda: compare_proportions([1, 2], [1], rng=seeded()), "2 is neither 0 nor 1"),
        (lambda: compare_proportions([1, 0], [1], ["a", "b"], ["a"], rng=seeded()), "both groups"),
        (lambda: holm([0.5, 1.5]), "1.5"),
    ],
)
def test_errors_name_the_value(call, message):
    with pytest.raises(AnalysisError, match=message):
        call()
