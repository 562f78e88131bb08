"""The model of biases and noise against dense linear algebra, and on data of known truth."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from attribution.analysis import bias_noise
from attribution.analysis.bias_noise import bias_and_noise, components
from attribution.analysis.ratings import Ratings
from attribution.errors import AnalysisError


def drawn(rng, items=300, raters=25, bias=0.5):
    """Three ratings an item: true qualities, biases, noises, and the three columns."""
    quality, biases = rng.normal(3.5, 0.8, items), rng.normal(0, bias, raters)
    noise = rng.uniform(0.3, 1.2, raters)
    item = np.repeat(np.arange(items), 3)
    rater = np.concatenate([rng.choice(raters, 3, replace=False) for _ in range(items)])
    return (
        quality,
        biases,
        noise,
        item,
        rater,
        quality[item] + biases[rater] + noise[rater] * rng.normal(size=len(item)),
    )


@pytest.fixture(scope="module")
def study():
    return drawn(np.random.default_rng(0))


@pytest.fixture(scope="module")
def fitted(study):
    return bias_and_noise(*study[3:])


def test_truth_is_recovered_better_than_by_means(study, fitted):
    quality, biases, noise, item, _, y = study
    means = np.bincount(item, weights=y) / 3
    assert fitted.converged
    assert np.sqrt(((fitted.scores - quality) ** 2).mean()) < 0.75 * np.sqrt(((means - quality) ** 2).mean())
    assert np.corrcoef(fitted.biases, biases)[0, 1] > 0.93
    assert np.corrcoef(fitted.noises, noise)[0, 1] > 0.75
    assert fitted.item_deviation == pytest.approx(0.8, abs=0.1)
    assert fitted.bias_deviation == pytest.approx(0.5, abs=0.15)


def test_standard_errors_are_those_of_repeated_studies():
    rng, scaled, of_biases = np.random.default_rng(1), [], []
    for _ in range(20):
        quality, biases, _, item, rater, y = drawn(rng, items=120, raters=12)
        found = bias_and_noise(item, rater, y)
        scaled.append((found.scores - quality) / found.standard_errors)
        of_biases.append((found.biases - biases) / found.bias_errors)
    assert np.std(np.concatenate(scaled)) == pytest.approx(1, abs=0.06)
    assert np.std(np.concatenate(of_biases)) == pytest.approx(1, abs=0.15)


def test_the_likelihood_never_falls(fitted):
    assert len(fitted.likelihoods) > 5
    assert all(later >= earlier - 1e-9 for earlier, later in itertools.pairwise(fitted.likelihoods))


def test_one_step_is_the_dense_linear_mixed_models():
    _, _, _, item, rater, y = drawn(np.random.default_rng(2), items=15, raters=6)
    table = Ratings.of(item, rater, y)
    variances = bias_noise._Variances(0.7, 0.2, np.random.default_rng(3).uniform(0.2, 1, 6), 0.5)
    found = bias_noise._expect(table, bias_noise._Pairs.of(table), variances)
    # Henderson's results, with the covariance of all 45 ratings written out and the mean estimated by least squares.
    of_item, of_rater = np.eye(15)[item], np.eye(6)[rater]
    noise = np.diag(variances.noise[rater])
    inverse = np.linalg.inv(0.7 * of_item @ of_item.T + 0.2 * of_rater @ of_rater.T + noise)
    one = np.ones(45)
    of_mean = 1 / (one @ inverse @ one)
    mean = of_mean * (one @ inverse @ y)
    project = inverse - of_mean * np.outer(inverse @ one, inverse @ one)
    quality, bias = 0.7 * of_item.T @ project @ y, 0.2 * of_rater.T @ project @ y
    left = 0.7 * np.eye(15) - 0.49 * of_item.T @ project @ of_item
    with_mean = -0.7 * of_mean * of_item.T @ inverse @ one
    residual, of_residual = noise @ project @ y, noise - noise @ project @ noise
    assert found.mean == pytest.approx(mean)
    assert found.quality == pytest.approx(mean + quality)
    assert found.bias == pytest.approx(bias)
    assert found.bias_variance == pytest.approx(np.diag(0.2 * np.eye(6) - 0.04 * of_rater.T @ project @ of_rater))
    assert found.quality_variance == pytest.approx(np.diag(left) + of_mean + 2 * with_mean)
    assert found.squared_quality == pytest.approx(quality**2 + np.diag(left))
    assert found.squared_noise == pytest.approx(residual**2 + np.diag(of_residual))
    likelihood = np.linalg.slogdet(inverse)[1] + math.log(of_mean) - y @ project @ y
    assert found.likelihood == pytest.approx(likelihood / 2)


def test_a_careless_rater_weighs_less():
    rng = np.random.default_rng(4)
    quality = rng.normal(3, 1, 200)
    ratings = quality + rng.normal(scale=[[0.3], [0.3], [2.0]], size=(3, 200))
    rater, item = np.divmod(np.arange(600), 200)
    found = bias_and_noise(item, rater, ratings.ravel())
    assert found.noises[2] > 1.5 > 0.6 > found.noises[:2].max()
    assert np.abs(found.scores - quality).mean() < 0.6 * np.abs(ratings.mean(axis=0) - quality).mean()


def test_a_severe_raters_items_are_not_held_against_them(study, fitted):
    quality, biases, _, item, rater, _ = study
    burden = np.bincount(item, weights=biases[rater]) / 3
    assert abs(np.corrcoef(burden, fitted.scores - quality)[0, 1]) < 0.15


def test_no_raters_noise_runs_to_zero():
    # Two ratings an item, and each rater on ten items: without shrinkage one rater would be believed outright.
    _, _, _, item, rater, y = drawn(np.random.default_rng(5), items=40, raters=12)
    found = bias_and_noise(item, rater, np.clip(np.round(y), 1, 5))
    assert found.converged
    assert found.noises.min() > 0.2


def test_names_and_order_do_not_matter(study, fitted):
    item, rater, y = study[3:]
    order = np.random.default_rng(6).permutation(len(y))
    names = np.array([f"{(7 * number) % 25:02}" for number in range(25)])
    other = bias_and_noise(item[order], names[rater[order]], y[order])
    assert other.scores == pytest.approx(fitted.scores, abs=1e-6)
    assert other.biases[np.searchsorted(other.raters, names)] == pytest.approx(fitted.biases, abs=1e-6)


def test_parts_that_share_nothing_are_counted():
    table = Ratings.of([1, 1, 2, 2, 3, 3, 4], ["a", "b", "b", "c", "d", "e", "e"], [1, 2, 3, 4, 5, 4, 3])
    assert components(table) == 2
    chain = Ratings.of(np.repeat(np.arange(50), 2), (np.arange(100) + 1) // 2, np.arange(100))
    assert components(chain) == 1


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (([], [], []), "no ratings"),
        (([1, 2], ["a", "b"], [3, 4]), "no item has two raters"),
        (([1, 1, 2, 2], ["a", "b", "a", "b"], [3, 3, 3, 3]), "all ratings equal"),
    ],
)
def test_what_cannot_be_fitted_says_so(columns, reason):
    found = bias_and_noise(*columns)
    assert found.reason == reason
    assert np.isnan(found.scores).all()
    assert not found.converged


def test_raters_who_always_agree_are_fitted_with_next_to_no_noise():
    found = bias_and_noise([1, 1, 2, 2, 3, 3], ["a", "b"] * 3, [1, 1, 3, 3, 5, 5], steps=200)
    assert np.isfinite(found.scores).all()
    assert (np.diff(found.scores) > 1.9).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bias_and_noise([1, 1], ["a", "a"], [3, 4]), "rater a rated item 1 twice"),
        (lambda: bias_and_noise([1, 1], ["a", "b"], [3, 4], shrinkage=0), "shrinkage is 0"),
        (
            lambda: bias_and_noise(np.repeat(np.arange(3000), 2), np.arange(6000), np.arange(6000)),
            "at most 5000",
        ),
    ],
)
def test_errors_name_the_value(call, message):
    with pytest.raises(AnalysisError, match=message):
        call()
