"""Rows of presence studies: every number worked out by hand."""

from __future__ import annotations

import pytest

from annotation_site.reports.measures import Measure, Share
from annotation_site.reports.report import build_report
from attribution.analysis.agreement import masi_alpha


@pytest.fixture
def presence(make_study, fill):
    study = make_study(kind="presence", items=8)
    fill(
        study,
        {
            "cohyponyms": [("B", "B", "1"), ("1", "2", "B"), ("0", "P", "B"), ("P", "P", "B")],
            "non-cohyponyms": [("B", "B", "B"), ("B", "B", "2"), ("B", "1", "B"), ("B",)],
        },
    )
    return study


def rows_of(study):
    return {row.condition: row for row in build_report(study).people.rows}


def test_images_are_right_by_majority_and_a_tie_is_not(presence):
    row = rows_of(presence)["cohyponyms"]
    # Right; one of three; a tie of two; one answer only, the others too poor.
    assert (row.images, row.scored, row.unscored_too_poor, row.waiting) == (4, 3, 1, 0)
    assert row.right_images == 1
    # Wilson for 1 of 3.
    assert row.right == Measure(0.333333, pytest.approx(0.0615, abs=1e-4), pytest.approx(0.7923, abs=1e-4))


def test_single_answers_are_counted_beside_the_majority(presence):
    row = rows_of(presence)["cohyponyms"]
    assert row.answers == (5, 2, 1, 1)
    assert row.right_answers == Share(5, 9)
    assert (row.judgements, row.too_poor) == (12, 3)
    assert row.paper == "52%"


def test_a_waiting_image_is_in_no_share_of_images(presence):
    row = rows_of(presence)["non-cohyponyms"]
    assert (row.scored, row.waiting, row.right.value) == (3, 1, 1)
    assert row.right_answers == Share(8, 10)


def test_agreement_on_sets_is_that_of_the_sets_themselves(presence):
    sets = {"B": "ab", "1": "a", "2": "b", "0": ""}
    answers = [("B", "B", "1"), ("1", "2", "B"), ("0", None, "B"), (None, None, "B")]
    by_rater = [[None if cell is None else set(sets[cell]) for cell in rater] for rater in zip(*answers, strict=True)]
    assert rows_of(presence)["cohyponyms"].alpha.value == pytest.approx(masi_alpha(by_rater), abs=1e-6)


def test_the_difference_of_the_conditions(presence):
    gap = build_report(presence).people.difference
    # 3 of 3 minus 1 of 3; Wilson (0.4385, 1) and (0.0615, 0.7923).
    assert gap.images.value == pytest.approx(2 / 3, abs=1e-6)
    low = 2 / 3 - ((1 - 0.4385) ** 2 + (0.7923 - 1 / 3) ** 2) ** 0.5
    assert gap.images.low == pytest.approx(low, abs=2e-4)
    assert gap.images.high == pytest.approx(2 / 3 + (1 / 3 - 0.0615), abs=2e-4)
    assert gap.answers.value == pytest.approx(8 / 10 - 5 / 9, abs=1e-6)
    assert gap.paper == 0.09


def test_a_condition_without_answers_leaves_the_difference_undefined(make_study, fill):
    study = make_study(kind="presence", items=4)
    fill(study, {"cohyponyms": [("B", "B", "B")]})
    gap = build_report(study).people.difference
    assert gap.images == Measure.undefined("no scored image of non-cohyponyms")
    assert gap.answers == Measure.undefined("no answers on non-cohyponyms")


def test_a_study_of_one_condition_names_the_missing_one(make_study):
    study = make_study(kind="presence", items=1)
    assert build_report(study).people.difference.images == Measure.undefined("no non-cohyponyms in this study")
