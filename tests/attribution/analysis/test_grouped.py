"""Means in one pass against sums by hand and a textbook bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest

from attribution.analysis.grouped import FEW, NO_VALUES, ONE_CLUSTER, GroupedMeans
from attribution.errors import AnalysisError


def of(values: dict[str, list[float]], **options) -> GroupedMeans:
    means = GroupedMeans(["x"], **options)
    for cluster, members in values.items():
        means.add(cluster, "g", len(members), [sum(members)])
    return means


def test_a_mean_is_over_values_not_over_clusters():
    means = of({"a": [1, 1, 1], "b": [5]})
    assert means.mean("g", "x").value == 2
    assert means.count("g") == 4
    assert means.additions("g") == 2


def test_the_interval_is_that_of_a_textbook_cluster_bootstrap():
    rng = np.random.default_rng(1)
    values = {f"p{k}": list(rng.normal(rng.normal(), 0.3, size=1 + k % 4)) for k in range(200)}
    low, high = of(values, resamples=4000).mean("g", "x").interval
    clusters = list(values.values())
    drawn = [np.concatenate([clusters[k] for k in rng.integers(0, 200, 200)]).mean() for _ in range(4000)]
    expected = np.quantile(drawn, [0.025, 0.975])
    assert (low, high) == pytest.approx(tuple(expected), abs=0.1 * (expected[1] - expected[0]))


def test_a_cluster_that_comes_twice_is_one():
    apart, together = GroupedMeans(["x"]), GroupedMeans(["x"])
    for k in range(30):
        together.add(f"p{k}", "g", 2, [2.0 * k])
    for k in [*range(30), *range(30)]:
        apart.add(f"p{k}", "g", 1, [k])
    assert apart.mean("g", "x") == together.mean("g", "x")


def test_a_difference_resamples_both_groups_together():
    means = GroupedMeans(["x"])
    for k in range(40):
        means.add(f"p{k}", "one", 1, [k + 0.25])
        means.add(f"p{k}", "two", 1, [k])
    found = means.difference("one", "two", "x")
    assert found.value == pytest.approx(0.25)
    assert found.interval == pytest.approx((0.25, 0.25))
    low, high = means.mean("one", "x").interval
    assert high - low > 5


def test_a_contrast_is_between_two_measures_of_the_same_values():
    means = GroupedMeans(["x", "y"])
    for k in range(40):
        means.add(f"p{k}", "g", 2, [2 * k + 1.0, 2 * k])
    assert means.contrast("g", "x", "y").value == pytest.approx(0.5)
    assert means.contrast("g", "x", "y").interval == pytest.approx((0.5, 0.5))
    assert means.contrast("h", "x", "y").reason == NO_VALUES


def test_what_cannot_have_an_interval_says_why():
    means = of({f"p{k}": [k] for k in range(3)})
    assert means.mean("g", "x").value == 1
    assert means.mean("g", "x").reason == FEW
    assert math.isnan(means.mean("g", "x").interval.low)
    assert means.mean("h", "x").reason == means.difference("g", "h", "x").reason == NO_VALUES
    alone = GroupedMeans(["x"])
    for _ in range(20):
        alone.add("one prompt", "g", 1, [1])
    assert alone.mean("g", "x").reason == ONE_CLUSTER


def test_groups_come_by_size():
    means = GroupedMeans(["x"])
    for name, count in (("b", 2), ("a", 2), ("c", 5)):
        means.add("p", name, count, [0])
    means.add("p", "never", 0, [0])
    assert means.groups == ["c", "a", "b"]


@pytest.mark.parametrize(("count", "sums"), [(1, [math.nan]), (1, [1.0, 2.0]), (-1, [1.0])])
def test_what_is_no_number_is_refused_with_its_place(count, sums):
    with pytest.raises(AnalysisError, match=r"'p7' adds .* to 'g'"):
        GroupedMeans(["x"]).add("p7", "g", count, sums)
