"""Agreement against published worked examples, hand calculation and each other."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from attribution.analysis import agreement
from attribution.errors import AnalysisError

# K. Krippendorff (2011), the example of section C with missing data: 4 observers x 12 units.
X = math.nan
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, X, X, X],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, X, 3],
    [X, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, X],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, X],
]
# Shrout and Fleiss (1979), table 2: 6 targets x 4 judges.
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


@pytest.fixture(scope="module")
def examples(shared_data: Path):
    return json.loads((shared_data / "agreement_examples.json").read_text())


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_of_krippendorffs_example(level, published):
    assert agreement.krippendorff_alpha(KRIPPENDORFF, level) == pytest.approx(published, abs=5e-4)


def test_every_shared_alpha_example_to_ten_digits(examples):
    example = examples["krippendorff_2011"]
    for level, value in example["computed"].items():
        assert agreement.krippendorff_alpha(example["data"], level) == pytest.approx(value, abs=1e-9), level


def test_shared_fleiss_example(examples):
    counts = np.array(examples["fleiss_1971"]["counts"])
    computed = examples["fleiss_1971"]["computed"]
    assert agreement.fleiss_kappa(counts) == pytest.approx(computed["kappa"], abs=1e-9)
    ratings = np.array([np.repeat(np.arange(5), row) for row in counts]).T
    assert agreement.krippendorff_alpha(ratings, "nominal") == pytest.approx(computed["alpha_nominal"], abs=1e-9)
    assert agreement.gwet_ac(ratings) == pytest.approx(computed["gwet_ac1"], abs=1e-9)


def test_shared_cohen_example(examples):
    example = examples["cohen_fleiss_everitt_1969"]
    computed, table = example["computed"], example["table"]
    assert agreement.cohen_kappa(table) == pytest.approx(computed["kappa"], abs=1e-9)
    assert agreement.cohen_kappa(table, "linear") == pytest.approx(computed["linear"], abs=1e-9)
    assert agreement.cohen_kappa(table, "quadratic") == pytest.approx(computed["quadratic"], abs=1e-9)
    assert agreement.cohen_kappa(table, example["agreement_weights"]) == pytest.approx(computed["kappa_w"], abs=1e-9)


def test_binary_alpha_worked_by_hand():
    # Krippendorff (2011), example A: two observers, ten units, no missing data: alpha = 0.095.
    first, second = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert agreement.krippendorff_alpha([first, second], "nominal") == pytest.approx(0.095, abs=5e-4)


def test_ordinal_alpha_worked_by_hand():
    # Units (1,1), (1,2), (2,3); totals 3, 2, 1; mid-ranks 1.5, 4, 5.5. Observed 2 * (2.5^2 + 1.5^2) = 17;
    # expected 2 * (3*2*2.5^2 + 3*1*4^2 + 2*1*1.5^2) = 180; alpha = 1 - 5 * 17 / 180.
    assert agreement.krippendorff_alpha([[1, 1, 2], [1, 2, 3]], "ordinal") == pytest.approx(1 - 85 / 180)


def test_gwets_coefficient_with_missing_ratings():
    # Gwet (2014), the same table as Krippendorff's with one rater a row: AC1 = 0.77544.
    assert agreement.gwet_ac(KRIPPENDORFF) == pytest.approx(0.77544, abs=5e-6)


def test_gwets_weights_worked_by_hand():
    # Two raters, categories 1..3, units (1,1) and (1,3): linear weights 1, 1/2, 0; p_a = (1 + 0) / 2; shares 3/4, 0,
    # 1/4; sum of weights 5; p_e = 5/6 * (3/16 + 3/16) = 5/16; AC2 = (1/2 - 5/16) / (11/16) = 3/11.
    assert agreement.gwet_ac([[1, 1], [1, 3]], "linear", categories=[1, 2, 3]) == pytest.approx(3 / 11)
    # Ordinal weights of three categories are 1, 2/3, 0: sum 3 + 8/3 = 17/3, p_e = 17/18 * 3/8 = 17/48.
    assert agreement.gwet_ac([[1, 1], [1, 3]], "ordinal", categories=[1, 2, 3]) == pytest.approx((24 - 17) / 31)


@pytest.mark.parametrize(
    ("kind", "published"), [("1,1", 0.17), ("2,1", 0.29), ("3,1", 0.71), ("1,k", 0.44), ("2,k", 0.62), ("3,k", 0.91)]
)
def test_intraclass_correlations_of_shrout_and_fleiss(kind, published):
    assert agreement.icc(np.transpose(SHROUT_FLEISS), kind) == pytest.approx(published, abs=5e-3)


def test_concordance_of_siegels_examples():
    # Siegel (1956), section 9: six applicants ranked by three executives, W = .16.
    assert agreement.kendall_w([[1, 6, 3, 2, 5, 4], [1, 5, 6, 4, 2, 3], [6, 3, 2, 5, 4, 1]]) == pytest.approx(
        0.16, abs=5e-3
    )
    # And with ties, W = .828.
    tied = [
        [1, 4.5, 2, 4.5, 3, 7.5, 6, 9, 7.5, 10],
        [2.5, 1, 2.5, 4.5, 4.5, 8, 9, 6.5, 10, 6.5],
        [2, 1, 4.5, 4.5, 4.5, 4.5, 8, 8, 8, 10],
    ]
    assert agreement.kendall_w(tied) == pytest.approx(0.828, abs=5e-4)


def test_concordance_takes_ratings_and_ranks_them():
    assert agreement.kendall_w([[10, 20, 30], [0.1, 0.2, 0.3]]) == pytest.approx(1.0)
    assert agreement.kendall_w([[1, 2, 3], [3, 2, 1]]) == pytest.approx(0.0)


def test_masi_distances():
    # Passonneau (2006): equal 0; subset 1 - 2/3 J; overlap 1 - 1/3 J; disjoint 1.
    assert agreement.masi_distance({1, 2}, {1, 2}) == 0
    assert agreement.masi_distance({1}, {1, 2}) == pytest.approx(1 - 1 / 2 * 2 / 3)
    assert agreement.masi_distance({1, 2}, {2, 3}) == pytest.approx(1 - 1 / 3 * 1 / 3)
    assert agreement.masi_distance({1}, {2}) == 1
    assert agreement.masi_distance(set(), set()) == 0
    assert agreement.masi_distance(set(), {1}) == 1


def test_alpha_of_sets_worked_by_hand():
    # Two units: ({a}, {a}) and ({a, b}, {b}). Observed: 0 and 2 * 2/3, over 4 answers: 1/3. Expected: ordered pairs
    # of {a} x 2, {a, b}, {b}: 2 * (2 * 2/3 + 2 * 1 + 2/3) = 8, over 4 * 3: 2/3.
    assert agreement.masi_alpha([["a", "ab"], ["a", "b"]]) == pytest.approx(1 / 2)


def test_alpha_of_sets_that_never_differ_is_undefined():
    assert math.isnan(agreement.masi_alpha([["a", None], ["a", "b"]]))
    assert math.isnan(agreement.masi_alpha([[None], [None]]))


@pytest.mark.parametrize(
    ("ratings", "reason"),
    [
        ([[3, 3, 3], [3, 3, 3]], "all answers equal"),
        ([[1, X], [X, 2]], "no unit has two ratings"),
        ([[1, 2, 3]], "no unit has two ratings"),
        ([[X, X], [X, X]], "no unit has two ratings"),
        ([[4, 4, X], [4, 4, 1]], "all answers equal"),
        (np.empty((3, 0)), "no unit has two ratings"),
    ],
)
def test_an_undefined_alpha_is_nan_with_its_reason(ratings, reason):
    assert math.isnan(agreement.krippendorff_alpha(ratings, "ordinal"))
    assert agreement.undefined(ratings) == reason
    assert all(map(math.isnan, agreement.alpha_interval(ratings, rng=np.random.default_rng(0))))


def test_a_defined_alpha_has_no_reason():
    assert agreement.undefined(KRIPPENDORFF) == ""


def test_none_and_single_ratings_are_missing():
    with_none = [[None if math.isnan(cell) else cell for cell in row] for row in KRIPPENDORFF]
    without_unit_12 = [row[:11] for row in KRIPPENDORFF]
    whole = agreement.krippendorff_alpha(KRIPPENDORFF, "interval")
    assert agreement.krippendorff_alpha(with_none, "interval") == whole
    assert agreement.krippendorff_alpha(without_unit_12, "interval") == pytest.approx(whole)


def test_order_of_raters_and_units_does_not_matter():
    rng = np.random.default_rng(3)
    table = np.array(KRIPPENDORFF)
    shuffled = rng.permuted(table[:, rng.permutation(table.shape[1])], axis=0)
    for level in ("nominal", "ordinal", "interval", "ratio"):
        assert agreement.krippendorff_alpha(shuffled, level) == pytest.approx(
            agreement.krippendorff_alpha(table, level)
        )


def test_the_pattern_bootstrap_is_the_bootstrap_of_units():
    rng = np.random.default_rng(0)
    table = np.clip(rng.integers(1, 6, 60) + rng.integers(-1, 2, (3, 60)), 1, 5).astype(float)
    fast = agreement.alpha_interval(table, "ordinal", rng=np.random.default_rng(1), resamples=4000)
    slow = [agreement.krippendorff_alpha(table[:, rng.integers(0, 60, 60)], "ordinal") for resample in range(1500)]
    assert fast == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.02)


def test_the_cluster_bootstrap_of_alpha_draws_whole_clusters():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(20), 4)
    # Clusters differ in how well raters agree on them, so drawing them whole widens the interval.
    noise = np.where(clusters % 2, 2, 0)
    table = np.clip(rng.integers(1, 6, 80) + rng.integers(-noise, noise + 1, (3, 80)), 1, 5).astype(float)
    table[0, rng.random(80) < 0.3] = X
    table[1:, 7] = X
    fast = agreement.alpha_interval(table, clusters=clusters, rng=np.random.default_rng(1), resamples=4000)
    members = [np.flatnonzero(clusters == number) for number in range(20)]
    slow = [
        agreement.krippendorff_alpha(table[:, np.concatenate([members[at] for at in rng.integers(0, 20, 20)])])
        for resample in range(1500)
    ]
    assert fast == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.02)
    assert all(map(math.isnan, agreement.alpha_interval(table, clusters=np.zeros(80), rng=rng)))


def test_masked_ratings_are_missing():
    masked = np.ma.masked_invalid(KRIPPENDORFF)
    assert agreement.krippendorff_alpha(masked) == agreement.krippendorff_alpha(KRIPPENDORFF)


def test_the_order_of_categories_does_not_matter():
    for weights in ("linear", "ordinal", "quadratic"):
        up = agreement.gwet_ac(KRIPPENDORFF, weights, categories=[1, 2, 3, 4, 5])
        assert agreement.gwet_ac(KRIPPENDORFF, weights, categories=[5, 1, 4, 2, 3]) == up


def test_the_bootstrap_repeats_from_its_seed():
    first, again, other = (
        agreement.alpha_interval(KRIPPENDORFF, "ordinal", rng=np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    assert first == again != other
    assert first.low < agreement.krippendorff_alpha(KRIPPENDORFF, "ordinal") < first.high


def test_patterns_with_too_many_values_for_one_integer_key():
    table = np.vstack([np.arange(80.0), np.arange(80.0)])
    table[1, 0] = 5
    patterns = agreement.Patterns.from_ratings(table)
    assert patterns.units.sum() == 80
    assert patterns.alpha("nominal") < 1


def test_coefficients_without_variation_are_nan():
    assert math.isnan(agreement.fleiss_kappa([[3, 0], [3, 0]]))
    assert math.isnan(agreement.cohen_kappa([[4, 0], [0, 0]]))
    assert math.isnan(agreement.gwet_ac([[2, 2], [2, 2]]))
    assert math.isnan(agreement.icc([[1, 1], [1, 1]], "1,1"))
    assert math.isnan(agreement.kendall_w([[1, 1], [1, 1]]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: agreement.krippendorff_alpha([1, 2, 3], "nominal"), "1 dimensions"),
        (lambda: agreement.krippendorff_alpha([[1, "a"]], "nominal"), "table of numbers"),
        (lambda: agreement.krippendorff_alpha([[1, math.inf]], "nominal"), "infinite"),
        (lambda: agreement.krippendorff_alpha([[1, 2], [1, 3]], "cardinal"), "'cardinal'"),
        (lambda: agreement.krippendorff_alpha([[-1, 2], [1, 3]], "ratio"), "-1"),
        (lambda: agreement.fleiss_kappa([[3, 0], [1, 1]]), r"\[2, 3\]"),
        (lambda: agreement.fleiss_kappa([[1.5, 0]]), "whole number"),
        (lambda: agreement.fleiss_kappa([[X, 2]]), "whole number"),
        (lambda: agreement.fleiss_kappa([[math.inf, 2]]), "whole number"),
        (lambda: agreement.fleiss_kappa([["a", 2]]), "table of numbers"),
        (lambda: agreement.cohen_kappa([[1, 2], [1]]), "table of numbers"),
        (lambda: agreement.alpha_interval([[1, 2]] * 2, rng=np.random.default_rng(0), resamples=0), "0 resamples"),
        (lambda: agreement.alpha_interval([[1, 2]] * 2, rng=np.random.default_rng(0), clusters=[1]), "2 units"),
        (lambda: agreement.cohen_kappa([[1, 2, 3], [1, 2, 3]]), r"\(2, 3\)"),
        (lambda: agreement.cohen_kappa([[1, 2], [1, 2]], [[1, 0, 0]]), r"\(1, 3\)"),
        (lambda: agreement.cohen_kappa([[1, 2], [1, 2]], [[0, 1], [1, 0]]), "weights of agreement"),
        (lambda: agreement.gwet_ac([[1, 2], [1, 9]], categories=[1, 2]), r"\[1.0, 2.0\]"),
        (lambda: agreement.gwet_ac([[1, 2], [1, 2]], "cubic"), "'cubic'"),
        (lambda: agreement.icc([[1, 2], [X, 2]], "1,1"), "rater 1, unit 0"),
        (lambda: agreement.icc([[1, 2], [1, 2]], "4,1"), "'4,1'"),
        (lambda: agreement.kendall_w([[1, 2, 3]]), "at least two raters"),
    ],
)
def test_errors_name_the_value_and_the_remedy(call, message):
    with pytest.raises(AnalysisError, match=message):
        call()
