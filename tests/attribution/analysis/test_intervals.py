"""Intervals against Newcombe's published tables and independent resampling."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from attribution.analysis import intervals
from attribution.analysis.contrasts import holm
from attribution.errors import AnalysisError


@pytest.mark.parametrize(
    ("successes", "total", "published"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_wilson_of_newcombes_first_table(successes, total, published):
    assert intervals.wilson(successes, total) == pytest.approx(published, abs=5e-5)


def test_every_shared_wilson_example(shared_data: Path):
    examples = json.loads((shared_data / "agreement_examples.json").read_text())["newcombe_1998_single"]
    for example in examples["computed"]:
        assert intervals.wilson(example["x"], example["n"]) == pytest.approx(example["wilson"], abs=1e-6)


def test_wilson_is_symmetric_and_stays_on_the_scale():
    low, high = intervals.wilson(3, 10)
    assert intervals.wilson(7, 10) == pytest.approx((1 - high, 1 - low))
    assert intervals.wilson(20, 20).high == 1.0
    assert all(map(math.isnan, intervals.wilson(0, 0)))


# Newcombe (1998), Statistics in Medicine 17:873, table II, method 10.
@pytest.mark.parametrize(
    ("successes", "totals", "published"),
    [
        ((56, 48), (70, 80), (0.0524, 0.3339)),
        ((9, 3), (10, 10), (0.1705, 0.8090)),
        ((6, 2), (7, 7), (0.0582, 0.8062)),
        ((5, 0), (56, 29), (-0.0381, 0.1926)),
        ((0, 0), (10, 20), (-0.1611, 0.2775)),
        ((0, 0), (10, 10), (-0.2775, 0.2775)),
        ((10, 0), (10, 20), (0.6791, 1.0)),
    ],
)
def test_newcombes_difference(successes, totals, published):
    assert intervals.newcombe(successes, totals) == pytest.approx(published, abs=5e-5)


# The same table's method 5 is Mee's, without the factor N / (N - 1); method 6 is Miettinen and Nurminen's.
@pytest.mark.parametrize(
    ("successes", "totals", "published"),
    [((56, 48), (70, 80), (0.0528, 0.3382)), ((9, 3), (10, 10), (0.1700, 0.8406)), ((6, 2), (7, 7), (0.0342, 0.8534))],
)
def test_miettinen_and_nurminens_difference(successes, totals, published):
    assert intervals.miettinen_nurminen(successes, totals) == pytest.approx(published, abs=6e-5)


def test_a_difference_without_data_has_no_interval():
    assert all(map(math.isnan, intervals.newcombe((0, 3), (0, 9))))
    assert all(map(math.isnan, intervals.miettinen_nurminen((0, 3), (0, 9))))


def test_bootstrap_of_a_mean_matches_plain_resampling_of_clusters():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(40), rng.integers(1, 4, 40))
    values = rng.normal(size=40)[clusters] + rng.normal(scale=0.1, size=len(clusters))
    groups = [values[clusters == number] for number in range(40)]
    plain = [np.concatenate([groups[at] for at in rng.integers(0, 40, 40)]).mean() for resample in range(3000)]
    assert intervals.bootstrap_mean(values, clusters, rng=np.random.default_rng(1)) == pytest.approx(
        np.quantile(plain, [0.025, 0.975]), abs=0.04
    )


def test_bootstrap_of_two_values_worked_by_hand():
    # Two clusters, 1 and 3: a resample is (1, 1), (1, 3) or (3, 3) with 1/4, 1/2, 1/4, so the 95% ends are 1 and 3.
    assert intervals.bootstrap_mean([1, 3], rng=np.random.default_rng(0)) == (1, 3)
    # One image, whatever it holds, varies with nothing.
    assert all(map(math.isnan, intervals.bootstrap_mean([1, 3], [7, 7], rng=np.random.default_rng(0))))


def test_clusters_widen_the_interval():
    values = np.tile([1.0, 5.0], 30)
    alone = intervals.bootstrap_mean(np.sort(values), rng=np.random.default_rng(0))
    together = intervals.bootstrap_mean(np.sort(values), np.repeat(np.arange(6), 10), rng=np.random.default_rng(0))
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_bootstrap_repeats_from_its_seed():
    values = [1, 2, 2, 3, 5, 4, 4]
    first, again = (intervals.bootstrap_mean(values, rng=np.random.default_rng(9)) for turn in range(2))
    assert first == again


def test_holm_of_the_textbook_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_shared_holm_example(shared_data: Path):
    example = json.loads((shared_data / "agreement_examples.json").read_text())["holm"]
    assert holm(example["p"]) == pytest.approx(example["computed"]["holm"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: intervals.wilson(5, 4), "5 successes of 4"),
        (lambda: intervals.wilson(1, 4, confidence=95), "95"),
        (lambda: intervals.bootstrap_mean([1, math.nan], rng=np.random.default_rng(0)), "finite"),
        (lambda: intervals.bootstrap_mean([1, 2], [1], rng=np.random.default_rng(0)), "differ in shape"),
    ],
)
def test_errors_name_the_value(call, message):
    with pytest.raises(AnalysisError, match=message):
        call()
