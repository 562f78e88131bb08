"""The paper's rules, case by case."""

from __future__ import annotations

import pytest

from attribution.analysis.aggregation import Score, Status, majority_right, median_of, score_pair, status_of
from attribution.errors import AnalysisError


def pair(*ratings: int, abstract: int = 0, poor: int = 0, set_aside: int = 0, places: int = 3) -> Score:
    counts = [ratings.count(value) for value in range(1, 6)]
    answered = len(ratings) + abstract + poor + set_aside
    return score_pair(counts, too_abstract=abstract, too_poor=poor, answered=answered, places=places)


def test_three_ratings_give_their_median():
    assert pair(2, 5, 4) == Score(Status.SCORED, 4.0)
    assert pair(1, 1, 5) == Score(Status.SCORED, 1.0)


def test_one_rater_who_finds_the_word_too_abstract_drops_the_pair():
    assert pair(5, 5, abstract=1) == Score(Status.DROPPED)
    assert pair(abstract=1) == Score(Status.DROPPED)


def test_a_pair_waits_for_all_its_places():
    assert pair(5, 5) == Score(Status.WAITING)
    assert pair() == Score(Status.WAITING)


def test_an_image_too_poor_is_left_out_of_the_median():
    assert pair(4, 5, poor=1) == Score(Status.SCORED, 4.5)


def test_too_few_ratings_leave_a_pair_unscored_with_the_reason():
    assert pair(4, poor=2) == Score(Status.TOO_POOR)
    assert pair(4, set_aside=2) == Score(Status.TOO_FEW)
    assert pair(4, poor=1, set_aside=1) == Score(Status.TOO_POOR)
    assert pair(set_aside=3) == Score(Status.TOO_FEW)


def test_excluded_raters_leave_the_rest_to_decide():
    assert pair(2, 3, set_aside=1) == Score(Status.SCORED, 2.5)


@pytest.mark.parametrize(("places", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_more_than_half_of_the_places_must_be_rated(places, needed):
    assert status_of(rated=needed, too_poor=places - needed, answered=places, places=places) is Status.SCORED
    short = status_of(rated=needed - 1, too_poor=places - needed + 1, answered=places, places=places)
    assert short is Status.TOO_POOR


def test_medians_of_counts():
    assert median_of([0, 0, 1, 0, 0]) == 3
    assert median_of([1, 0, 0, 1, 0]) == 2.5
    assert median_of([0, 2, 0, 0, 3]) == 5


def test_a_tie_is_not_right():
    assert majority_right(2, 1)
    assert not majority_right(1, 1)
    assert not majority_right(0, 0)


def test_impossible_counts_are_refused():
    with pytest.raises(AnalysisError, match="3 ratings and 1 opt-outs of 3 answers"):
        status_of(rated=3, too_poor=1, answered=3, places=3)
    with pytest.raises(AnalysisError, match="median of nothing"):
        median_of([0, 0, 0, 0, 0])
