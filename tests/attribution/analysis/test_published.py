"""More published worked examples, each with where it was read; the expected numbers are those printed there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from attribution.analysis import agreement, intervals

X = math.nan
# K. L. Gwet, "Handbook of Inter-Rater Reliability", 4th edition (2014), p. 120: 12 subjects by 4 raters. The
# coefficients below are those that irrCAC's tests (github.com/afergadis/irrCAC) print for the book's tables.
FOUR_RATERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, X, X, X],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, X, X],
    [X, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 3],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, X],
]
# The same book, p. 125: 15 units by 5 observers, on 0 to 3.
FIVE_OBSERVERS = [
    [1, 1, 2, X, 0, 0, 1, 1, 2, 2, X, 0, 1, 3, 1],
    [1, 1, 3, 0, 0, 0, 0, X, 2, 1, 1, 0, 2, 3, 1],
    [2, 0, 3, 0, 0, 0, 2, 2, 2, 1, 0, 0, 2, 2, 1],
    [X, 1, 3, X, X, X, X, 0, X, 1, 0, 0, 2, 2, X],
    [2, X, X, 0, 0, 0, 1, X, 2, X, X, X, X, 3, 1],
]
TWO_GROUPS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, X, X, X, 2, 2],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, X, X, 2, 1],
    [X, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 3, 3, 3],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, X, 2, 2],
]
GENDER = [
    [1, 1, 1, 1, 1, 2, 2, 2, 3, 1, 1, 1, 1, 1, 2],
    [1, 1, 1, 1, 2, 1, 2, 3, 3, 1, 1, 1, 1, 2, 1],
    [1, 2, 2, 3, 1, 1, 2, 2, 3, 1, 2, 2, 3, 1, 1],
    [3, 3, 3, 3, 1, 1, 2, 2, 3, 3, 3, 3, 3, 1, 1],
]
BEN_AND_GERRY = [[1, 1, 2, 2, 4, 3, 3, 3, 5, 4, 4, 1], [2, 1, 2, 2, 2, 3, 3, 3, 5, X, 4, 4]]
# Two abstractors, 100 pregnancies; two diagnoses of 223 patients (both in the same book and tests).
ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]
DIAGNOSES = [[40, 4, 4, 17], [6, 25, 2, 13], [4, 1, 21, 12], [15, 5, 9, 45]]


@pytest.mark.parametrize(
    ("ratings", "published"),
    [(FOUR_RATERS, 0.775), (FIVE_OBSERVERS, 0.497), (TWO_GROUPS, 0.685), (GENDER, 0.208), (BEN_AND_GERRY, 0.661)],
)
def test_gwets_ac1(ratings, published):
    assert agreement.gwet_ac(ratings) == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize(("weights", "published"), [("linear", 0.859), ("ordinal", 0.899), ("quadratic", 0.914)])
def test_gwets_ac2_of_raw_ratings(weights, published):
    assert agreement.gwet_ac(FOUR_RATERS, weights) == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize(
    ("table", "published"),
    [
        (ABSTRACTORS, {"identity": 0.849, "linear": 0.900, "ordinal": 0.925, "quadratic": 0.940}),
        (DIAGNOSES, {"identity": 0.456, "linear": 0.377, "ordinal": 0.324, "quadratic": 0.299}),
    ],
)
def test_gwets_coefficients_of_two_raters_tables(table, published):
    first, second = np.nonzero(np.ones_like(table))
    often = np.array(table).ravel()
    ratings = np.array([np.repeat(first, often), np.repeat(second, often)])
    for weights, value in published.items():
        assert agreement.gwet_ac(ratings, weights) == pytest.approx(value, abs=5e-4), weights


@pytest.mark.parametrize(
    ("table", "published"),
    [
        (ABSTRACTORS, {"identity": 0.796, "linear": 0.843, "ordinal": 0.872, "quadratic": 0.892}),
        (DIAGNOSES, {"identity": 0.432, "linear": 0.407, "ordinal": 0.390, "quadratic": 0.383}),
    ],
)
def test_cohens_weighted_kappas(table, published):
    for weights, value in published.items():
        assert agreement.cohen_kappa(table, weights) == pytest.approx(value, abs=5e-4), weights
        assert agreement.cohen_kappa(np.transpose(table), weights) == pytest.approx(value, abs=5e-4)


@pytest.mark.parametrize(
    ("ratings", "published"),
    [(FOUR_RATERS, 0.743), (FIVE_OBSERVERS, 0.481), (TWO_GROUPS, 0.632), (GENDER, 0.143), (BEN_AND_GERRY, 0.665)],
)
def test_nominal_alpha_of_the_same_tables(ratings, published):
    assert agreement.krippendorff_alpha(ratings, "nominal") == pytest.approx(published, abs=6e-4)


# A. F. Hayes and K. Krippendorff (2007), Communication Methods and Measures 1:77, p. 84: 40 news articles by 5
# observers, one of whom is missing from most; alpha = .7598 (read in github.com/dkpro/dkpro-statistics).
HAYES = """
112.2 1101. 2333. .00.0 000.0 000.0 102.1 1.20. 222.2 2111. .100. 0000. 1222. 33223 111.1 111.1 212.2 1233. 1101. 000.0
0011. 00.00 2333. 0000. 12.22 0111. 00010 1212. 1122. 112.2 110.0 2121. 22.22 3222. 222.2 223.2 222.2 22.12 2222. 111.1
"""


def test_hayes_and_krippendorffs_ordinal_alpha():
    units = [[X if cell == "." else int(cell) for cell in unit] for unit in HAYES.split()]
    assert agreement.krippendorff_alpha(np.transpose(units), "ordinal") == pytest.approx(0.7598, abs=5e-5)


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.642), ("interval", 0.547), ("ratio", 0.483)])
def test_krippendorffs_example_of_three_observers(level, published):
    # K. Krippendorff, "Content Analysis" (1980), p. 139: 9 units by 3 observers.
    units = [(1, 1, 1), (1, 2, 2), (2, 2, 2), (4, 4, 4), (1, 4, 4), (2, 2, 2), (1, 2, 3), (3, 3, 3), (2, 2, 2)]
    assert agreement.krippendorff_alpha(np.transpose(units), level) == pytest.approx(published, abs=1e-3)


def test_cohens_first_example():
    # J. Cohen (1960), table 1, proportions of 200: kappa = .492 (observed .70, expected .41).
    table = np.array([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
    shares = table / 200
    expected = float(shares.sum(axis=1) @ shares.sum(axis=0))
    assert (np.trace(shares), expected) == (pytest.approx(0.70), pytest.approx(0.41))
    assert agreement.cohen_kappa(table) == pytest.approx(0.492, abs=5e-4)


def test_a_small_table_worked_by_hand():
    # Pairs yy x 8, nn x 1, yn x 1: observed .9, expected 2 x .85 x .15 = .255, AC1 = .645 / .745.
    ratings = [["y"] * 8 + ["n", "y"], ["y"] * 8 + ["n", "n"]]
    coded = np.where(np.array(ratings) == "y", 1, 0)
    assert agreement.gwet_ac(coded) == pytest.approx(0.645 / 0.745)


def test_fleiss_kappa_of_the_textbook_table():
    # Ten subjects by 14 raters in five categories (the example of Wikipedia's article on Fleiss' kappa): .210.
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    assert agreement.fleiss_kappa(counts) == pytest.approx(0.20993070442195522, abs=1e-12)


def test_concordance_of_three_competitors():
    # ProofWiki, Kendall's Coefficient of Concordance, Arbitrary Example 1: four judges, W = 1/16.
    assert agreement.kendall_w([[1, 3, 2], [1, 2, 3], [2, 3, 1], [3, 1, 2]]) == pytest.approx(1 / 16)


def test_concordance_of_ten_projects():
    # Four judges rank ten projects: S = 1048, so W = 12 x 1048 / (16 x 990).
    ranks = [
        [1, 3, 4, 5, 2, 8, 6, 7, 10, 9],
        [2, 1, 4, 5, 6, 3, 8, 7, 10, 9],
        [3, 2, 1, 5, 7, 4, 6, 8, 9, 10],
        [4, 2, 3, 1, 6, 7, 5, 9, 8, 10],
    ]
    assert agreement.kendall_w(ranks) == pytest.approx(12 * 1048 / (16 * 990))


def test_concordance_is_friedmans_statistic_rescaled():
    # W = chi squared / (raters x (units - 1)), with ties corrected in both.
    stats = pytest.importorskip("scipy.stats")
    ratings = np.random.default_rng(4).integers(1, 6, (7, 12))
    chi_squared = stats.friedmanchisquare(*ratings.T).statistic
    assert agreement.kendall_w(ratings) == pytest.approx(chi_squared / (7 * 11))


def test_intraclass_correlations_from_an_analysis_of_variance_done_by_hand():
    # Shrout and Fleiss (1979), table 3: mean squares 11.24, 32.49 and 1.02 (and 6.26 within targets), 6 by 4.
    targets = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    bms, jms, ems, wms = 11.2417, 32.4861, 1.0194, 6.2639
    by_hand = {
        "1,1": (bms - wms) / (bms + 3 * wms),
        "2,1": (bms - ems) / (bms + 3 * ems + 4 * (jms - ems) / 6),
        "3,1": (bms - ems) / (bms + 3 * ems),
        "1,k": (bms - wms) / bms,
        "2,k": (bms - ems) / (bms + (jms - ems) / 6),
        "3,k": (bms - ems) / bms,
    }
    for kind, value in by_hand.items():
        assert agreement.icc(targets.T, kind) == pytest.approx(value, abs=5e-5), kind


def test_miettinen_and_nurminens_interval_of_a_share_of_nought():
    # Newcombe (1998), table II, example (d), as in the tests of ratesci (cran.r-project.org/package=ratesci).
    assert intervals.miettinen_nurminen((5, 0), (56, 29)) == pytest.approx((-0.0326, 0.1933), abs=5e-5)
    assert intervals.newcombe((5, 0), (56, 29)) == pytest.approx((-0.0381, 0.1926), abs=5e-5)


@pytest.mark.parametrize(("successes", "totals"), [((7, 2), (25, 25)), ((61, 52), (100, 120)), ((0, 9), (11, 10))])
def test_the_score_interval_ends_where_the_score_test_just_rejects(successes, totals):
    # Brute force: at each end, the largest likelihood with that difference, by a fine grid, gives z = 1.96.
    for end in intervals.miettinen_nurminen(successes, totals):
        second = np.linspace(max(0, -end), min(1, 1 - end), 200_001)[1:-1]
        first = second + end
        likelihood = sum(
            x * np.log(p) + (n - x) * np.log1p(-p) for x, n, p in zip(successes, totals, (first, second), strict=True)
        )
        p1, p2 = first[likelihood.argmax()], second[likelihood.argmax()]
        n = sum(totals)
        variance = (p1 * (1 - p1) / totals[0] + p2 * (1 - p2) / totals[1]) * n / (n - 1)
        gap = successes[0] / totals[0] - successes[1] / totals[1] - end
        assert abs(gap) / math.sqrt(variance) == pytest.approx(1.959964, abs=2e-3)
