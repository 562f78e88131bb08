"""Sizes and power against R's documented examples, the formulas by hand and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from attribution.analysis import power
from attribution.errors import AnalysisError


def test_the_papers_difference_is_significant_from_234_images_per_group():
    # 61% against 52%: z = .09 / sqrt(2 x .565 x .435 / n) passes 1.96 between 233 and 234.
    z = [0.09 / math.sqrt(2 * 0.565 * 0.435 / n) for n in (233, 234)]
    assert z[0] < 1.959964 < z[1]
    assert power.significant_from(0.61, 0.52) == 234
    assert power.sample_size_two_proportions(0.61, 0.52, power=0.5) == 234
    assert power.significant_from(0.52, 0.61) == 234


def test_proportions_as_in_rs_documentation():
    # help(power.prop.test): n = 50 gives power 0.740; a power of .90 needs n = 76.7; n = 50 detects p2 = 0.8026.
    assert power.power_two_proportions(0.50, 0.75, 50) == pytest.approx(0.740, abs=5e-4)
    assert power.sample_size_two_proportions(0.50, 0.75, power=0.90) == 77
    assert 1 - power.detectable_proportion(0.50, 50, power=0.90) == pytest.approx(0.8026, abs=5e-5)


def test_the_size_is_the_smallest_that_reaches_the_power():
    for p1, p2, wanted in ((0.61, 0.52, 0.8), (0.9, 0.85, 0.9), (0.1, 0.5, 0.8), (0.0, 0.3, 0.8)):
        size = power.sample_size_two_proportions(p1, p2, wanted)
        assert power.power_two_proportions(p1, p2, size) >= wanted > power.power_two_proportions(p1, p2, size - 1)


def test_power_is_what_simulated_pooled_tests_find():
    rng = np.random.default_rng(0)
    ones, twos = rng.binomial(300, 0.61, 40_000) / 300, rng.binomial(300, 0.52, 40_000) / 300
    pooled = (ones + twos) / 2
    found = np.mean((ones - twos) / np.sqrt(2 * pooled * (1 - pooled) / 300) > 1.959964)
    assert power.power_two_proportions(0.61, 0.52, 300) == pytest.approx(found, abs=0.015)


def test_means_by_the_normal_formula():
    # (1.959964 + 0.841621)^2 x 2 = 15.698: sixteen a group for one standard deviation; Lehr's rule of thumb.
    assert power.sample_size_two_means(1, 1) == 16
    assert power.sample_size_two_means(-0.5, 2) == math.ceil(15.6978 * 16)
    assert power.power_two_means(0.5, 2, 252) == pytest.approx(0.8, abs=2e-3)
    assert power.detectable_difference(2, 252) == pytest.approx(0.5, abs=2e-3)


def test_the_smallest_detectable_share_is_detected():
    below = power.detectable_proportion(0.61, 234)
    assert power.power_two_proportions(0.61, below, 234) == pytest.approx(0.8)
    assert math.isnan(power.detectable_proportion(0.02, 20))


def test_clusters_multiply_the_size():
    assert power.design_effect(5, 0.25) == 2
    assert power.design_effect(1, 0.9) == 1


def test_one_planned_contrast_has_the_plain_power():
    found = power.power_of_contrasts([3.4, 3.7], 1, 200, [(0, 1)], rng=np.random.default_rng(0))
    plain = power.power_two_means(0.3, 1, 200)
    assert found.each[0] == pytest.approx(plain, abs=0.012)
    assert found.any == found.all == found.each[0]


def test_planned_contrasts_are_corrected_together():
    nothing = power.power_of_contrasts(
        [3.4] * 4, 1, 150, [(0, 1), (0, 2), (0, 3), (1, 2)], rng=np.random.default_rng(1)
    )
    # Holm keeps the chance of any false finding at or below 5%.
    assert 0.02 < nothing.any < 0.055
    some = power.power_of_contrasts([3.0, 3.3, 3.9], 1, [150, 150, 60], [(0, 1), (0, 2)], rng=np.random.default_rng(2))
    assert some.each[1] > some.each[0] > power.power_two_means(0.3, 1, 150, alpha=0.025)
    assert some.all <= some.each[0] <= some.any


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: power.sample_size_two_proportions(0.5, 0.5), "difference of nothing"),
        (lambda: power.sample_size_two_proportions(61, 52), "61 is not between"),
        (lambda: power.sample_size_two_proportions(0.6, 0.5, power=80), "power is 80"),
        (lambda: power.power_two_proportions(0.6, 0.5, 0), "at least 1"),
        (lambda: power.power_two_means(1, 0, 10), "positive"),
        (lambda: power.sample_size_two_means(0, 1), "difference of nothing"),
        (lambda: power.design_effect(0, 0.1), "clusters of 0"),
        (lambda: power.power_of_contrasts([1, 2], 1, 9, [(0, 2)], rng=np.random.default_rng(0)), "two of 2 groups"),
        (lambda: power.power_of_contrasts([1, 2], 1, 9, [(0,)], rng=np.random.default_rng(0)), r"\(1, 1\)"),
    ],
)
def test_errors_name_the_value(call, message):
    with pytest.raises(AnalysisError, match=message):
        call()
