"""Special functions against published tables and identities."""

from __future__ import annotations

import math

import numpy as np
import pytest

from attribution.analysis import special
from attribution.errors import AnalysisError


# Student's t, two-sided 5% and one-sided 0.5%: table A.2 of any textbook (Abramowitz and Stegun, table 26.10).
@pytest.mark.parametrize(
    ("df", "two_sided_5", "one_sided_half"),
    [(1, 12.706, 63.657), (2, 4.303, 9.925), (5, 2.571, 4.032), (10, 2.228, 3.169), (30, 2.042, 2.750)],
)
def test_students_t_of_the_tables(df, two_sided_5, one_sided_half):
    assert special.t_quantile(0.975, df) == pytest.approx(two_sided_5, abs=5e-4)
    assert special.t_quantile(0.995, df) == pytest.approx(one_sided_half, abs=5e-4)
    assert special.t_quantile(0.025, df) == pytest.approx(-two_sided_5, abs=5e-4)
    assert special.t_cdf(two_sided_5, df) == pytest.approx(0.975, abs=5e-5)


def test_students_t_in_closed_form():
    # With one degree of freedom it is Cauchy's, with two t / sqrt(2 + t^2); with many it is the normal.
    for t in (-7.0, -0.4, 0.0, 1.3, 60.0):
        assert special.t_cdf(t, 1) == pytest.approx(0.5 + math.atan(t) / math.pi, abs=1e-13)
        assert special.t_cdf(t, 2) == pytest.approx(0.5 + t / (2 * math.sqrt(2 + t * t)), abs=1e-13)
        assert special.t_cdf(t, math.inf) == special.normal_cdf(t)
    assert special.t_quantile(0.975, math.inf) == pytest.approx(1.959964, abs=1e-6)


def test_incomplete_beta_in_closed_form():
    # I_x(a, 1) = x^a and I_x(1, b) = 1 - (1 - x)^b; whole a and b count binomial successes.
    assert special.incomplete_beta(3.5, 1, 0.3) == pytest.approx(0.3**3.5)
    assert special.incomplete_beta(1, 4.2, 0.9) == pytest.approx(1 - 0.1**4.2)
    at_least_4_of_9 = sum(math.comb(9, k) * 0.35**k * 0.65 ** (9 - k) for k in range(4, 10))
    assert special.incomplete_beta(4, 6, 0.35) == pytest.approx(at_least_4_of_9)
    assert (special.incomplete_beta(2, 2, 0), special.incomplete_beta(2, 2, 1)) == (0, 1)


def test_normal_distribution_of_the_tables():
    assert special.normal_cdf(1.96) == pytest.approx(0.9750021, abs=1e-7)
    assert special.normal_cdf(-3) == pytest.approx(0.0013499, abs=1e-7)
    assert special.two_sided(-1.959964) == pytest.approx(0.05, abs=1e-6)
    assert special.normal_quantile(0.95) == pytest.approx(1.644854, abs=1e-6)


def test_satterthwaite_of_equal_and_of_lone_variances():
    # Two alike have twice the degrees of freedom; where one is next to nothing, those of the other are left.
    assert special.satterthwaite([2, 2], [9, 9]) == pytest.approx(18)
    assert special.satterthwaite([1, 1e-9], [5, 50]) == pytest.approx(5)
    assert special.satterthwaite([0, 0], [5, 50]) == math.inf


def test_digamma_and_log_gamma():
    euler = 0.57721566490153286
    at = np.array([[1.0, 0.5], [2.0, 4.0]])
    expected = [[-euler, -euler - 2 * math.log(2)], [1 - euler, 1 + 1 / 2 + 1 / 3 - euler]]
    assert special.digamma(at) == pytest.approx(np.array(expected), abs=1e-12)
    assert special.digamma(1e-3) == pytest.approx(special.digamma(1 + 1e-3) - 1e3, rel=1e-12)
    assert special.log_gamma(np.array([5.0, 0.5])) == pytest.approx([math.log(24), math.log(math.pi) / 2])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: special.normal_quantile(1), "between 0 and 1"),
        (lambda: special.t_cdf(1, 0), "positive degrees"),
        (lambda: special.digamma([1, -1]), "-1"),
    ],
)
def test_values_outside_are_refused(call, message):
    with pytest.raises(AnalysisError, match=message):
        call()
