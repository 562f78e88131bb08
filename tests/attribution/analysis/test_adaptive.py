"""The rule for asking more raters, case by case, and what it does to the numbers."""

from __future__ import annotations

import numpy as np
import pytest

from attribution.analysis.adaptive import AdaptiveRule, needs_more
from attribution.analysis.agreement import krippendorff_alpha
from attribution.errors import AnalysisError

RULE = AdaptiveRule()


@pytest.mark.parametrize(
    ("answers", "more"),
    [
        ([], 3),
        ([4, 2], 1),
        ([4, 4, 3], 0),
        ([4, 2, 4], 2),
        # A stage that has begun is completed, even where its first answers agree.
        ([4, 2, 4, 4], 1),
        ([4, 2, 4, 4, 4], 2),
        ([4, 2, 4, 4, 4, 4], 1),
        ([4, 2, 4, 4, 4, 4, 4], 0),
        ([4, 2, 4, 4, 4, 4, 4, 4], 0),
        # The first three agreed; a fourth answer from a place already given out changes nothing.
        ([4, 4, 3, 1], 0),
        ([5, None, 4], 0),
        ([5, None, 1], 2),
        ([None, None, 1], 0),
        ([None, None, None], 0),
    ],
)
def test_ratings_that_lie_two_apart_ask_for_more(answers, more):
    assert needs_more(answers, RULE) == more


@pytest.mark.parametrize(
    ("answers", "more"),
    [
        (["both", "both", "first"], 0),
        (["both", "second", "first"], 2),
        (["both", "second", "first", "both", "both"], 0),
        (["both", "first", None], 2),
    ],
)
def test_answers_without_order_need_a_majority(answers, more):
    assert needs_more(answers, AdaptiveRule((3, 5), spread=None)) == more


def test_a_rule_of_one_stage_never_asks_for_more():
    assert needs_more([1, 5, 3], AdaptiveRule((3,))) == 0


def test_a_wider_spread_asks_less_often():
    assert needs_more([4, 2, 3], AdaptiveRule(spread=3)) == 0


def test_numbers_of_pooled_answers_lean_to_the_items_that_disagree():
    # Items of two kinds: easy ones that all rate alike, and hard ones that raters spread on, lower on the scale.
    rng = np.random.default_rng(0)
    hard = rng.random(4000) < 0.4
    quality = rng.normal(3.6 - 0.8 * hard, 0.8)
    full = np.clip(np.round(quality + np.where(hard, 1.4, 0.5) * rng.normal(size=(7, 4000))), 1, 5)
    asked = full.copy()
    for item in range(4000):
        count = 3
        while more := needs_more(full[:count, item].tolist(), RULE):
            count += more
        asked[count:, item] = np.nan
    assert np.nanmean(asked) < full.mean() - 0.07
    assert asked[:3].mean() == pytest.approx(full.mean(), abs=0.03)
    alphas = [krippendorff_alpha(table, "ordinal") for table in (full, asked, asked[:3])]
    assert alphas[1] < alphas[0] - 0.02
    assert alphas[2] == pytest.approx(alphas[0], abs=0.02)
    # Scores of items stay one an item, and come close to those of seven raters.
    assert np.nanmedian(asked, axis=0).mean() == pytest.approx(np.median(full, axis=0).mean(), abs=0.02)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AdaptiveRule((5, 3)), r"\(5, 3\)"),
        (lambda: AdaptiveRule(()), "ascending"),
        (lambda: AdaptiveRule((0, 3)), "ascending"),
        (lambda: AdaptiveRule(spread=0), "spread is 0"),
    ],
)
def test_impossible_rules_are_refused(make, message):
    with pytest.raises(AnalysisError, match=message):
        make()
