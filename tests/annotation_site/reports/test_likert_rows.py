"""Per-tag rows: every number worked out by hand."""

from __future__ import annotations

import pytest
from django.utils import timezone

from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement
from annotation_site.reports.measures import Measure, Share
from annotation_site.reports.report import build_report


def row_of(report, tag, *, section="people"):
    return next(row for row in getattr(report, section).rows if row.tag == tag)


def test_scores_of_a_plain_tag(rated):
    row = row_of(build_report(rated), "NOUN")
    assert (row.pairs, row.judgements, row.scored, row.dropped, row.unscored) == (3, 9, 3, 0, 0)
    # Medians 5, 3 and 2.
    assert row.mean.value == pytest.approx(10 / 3, abs=1e-6)
    # Three images: the resampled mean reaches each image's own median.
    assert (row.mean.low, row.mean.high) == (2, 5)
    assert row.median == Measure(3)
    assert row.fair_answers == Share(5, 9, "no ratings")
    # Two of three, with Wilson's interval: (2 + z2/2 -+ z sqrt(2/3 + z2/4)) / (3 + z2), z = 1.96.
    assert row.fair_medians == Measure(0.666667, pytest.approx(0.2077, abs=1e-4), pytest.approx(0.9385, abs=1e-4))
    # Totals 1, 3, 1, 2, 2; mid-ranks 0.5, 2.5, 4.5, 6, 8; observed 8 + 18.5 + 8; expected 1026; 1 - 8 * 34.5 / 1026.
    assert row.alpha.value == pytest.approx(1 - 276 / 1026, abs=1e-6)
    assert row.answers == (1, 3, 1, 2, 2)
    assert (row.minimum, row.interpretable) == (2, "yes")
    assert (row.paper_mean, row.paper_fair) == ("near or above good", "at least 90%")


def test_a_tag_with_a_drop_an_opt_out_and_a_waiting_pair(rated):
    row = row_of(build_report(rated), "VERB")
    assert (row.scored, row.dropped, row.waiting) == (1, 1, 1)
    # The pair with an image too poor keeps 4 and 3; its median is their mean.
    assert row.mean == Measure(3.5, reason="one image")
    assert (row.judgements, row.ratings, row.ratings_on_dropped, row.too_abstract, row.too_poor) == (7, 3, 2, 1, 1)
    assert row.too_abstract_rate == Share(1, 7)
    # One pair (4, 3): its disagreement is all that is expected.
    assert row.alpha == Measure(0.0, reason="one pair")
    assert row.interpretable == "open"


def test_unanimous_answers_leave_alpha_undefined(rated):
    row = row_of(build_report(rated), "ADJ")
    assert row.mean == Measure(4, 4, 4)
    assert row.alpha == Measure.undefined("all answers equal")
    assert row.fair_answers.value == 1


def test_a_tag_whose_pairs_are_all_dropped(rated):
    row = row_of(build_report(rated), "DET")
    assert (row.dropped, row.scored, row.ratings, row.ratings_on_dropped) == (3, 0, 0, 5)
    assert row.mean == row.median == row.fair_medians == Measure.undefined("no scored pair")
    assert row.fair_answers == Share(0, 0, "no ratings")
    assert row.alpha == Measure.undefined("no pair has two ratings")
    assert row.interpretable == "no"
    assert row.paper_mean == "not kept"


def test_all_tags_together(rated):
    report = build_report(rated)
    overall, rows = report.people.overall, report.people.rows
    assert [row.tag for row in rows] == ["ADJ", "DET", "NOUN", "VERB"]
    # Medians 5 3 2, 3.5, 4 4 4.
    assert overall.mean.value == pytest.approx(25.5 / 7, abs=1e-6)
    assert overall.median == Measure(4)
    for name in ("pairs", "judgements", "ratings", "too_abstract", "too_poor", "scored", "dropped", "waiting"):
        assert getattr(overall, name) == sum(getattr(row, name) for row in rows), name
    for row in (*rows, overall):
        assert row.pairs == row.scored + row.dropped + row.unscored
        assert row.judgements == row.ratings + row.ratings_on_dropped + row.too_abstract + row.too_poor
        assert row.ratings == sum(row.answers)


def test_the_stated_minimum_decides_what_stays_interpretable(rated):
    rated.interpretable_minimum = 3
    rated.save()
    kept = {row.tag: row.interpretable for row in build_report(rated).people.rows}
    assert kept == {"NOUN": "yes", "VERB": "no", "ADJ": "yes", "DET": "no"}


def test_every_stored_judgement_is_in_one_total(rated, enrol, judge):
    noun = rated.items.filter(word__tag="NOUN").order_by("position")
    first = noun[0].seats.order_by("round").first()
    # A correction from 4 to 1, a late answer to a taken seat, and simulated and excluded raters.
    first.judgements.update(current=False)
    judge(noun[0], first.enrolment, 1, seat=first, revision=2)
    late = enrol(rated)
    judge(noun[0], late, 1, seat=first, surplus=True)
    verb = rated.items.filter(word__tag="VERB").order_by("position")
    judge(verb[2], enrol(rated, simulated=True), 1)
    excluded = enrol(rated)
    judge(verb[2], excluded, 1)
    excluded.exclude("failed the checks", timezone.now())
    assignment.withdraw_item(noun[2])
    report = build_report(rated)
    totals = report.totals
    assert (totals.stored, totals.superseded, totals.surplus, totals.simulated) == (38, 1, 1, 1)
    assert (totals.excluded, totals.withdrawn, totals.counted) == (1, 3, 31)
    assert report.people.judgements == 31 == Judgement.objects.of_people().counted().count()
    # The corrected pair is 1, 5, 5 and the withdrawn one is gone: medians 5 and 3.
    row = row_of(report, "NOUN")
    assert (row.pairs, row.mean.value) == (2, 4)
    # All places are answered, and one person's rating of three does not make a score.
    assert row_of(report, "VERB").unscored_too_few == 1
    assert report.simulated is None


def test_simulated_raters_stand_apart(make_study, fill):
    study = make_study(items=4, seats_per_item=2)
    fill(study, {"NOUN": [(1, 2)]}, simulated=True)
    fill(study, {"VERB": [(4, 5)]})
    report = build_report(study, include_simulated=True)
    assert (report.totals.counted, report.totals.simulated) == (2, 2)
    assert row_of(report, "VERB").mean.value == 4.5
    assert row_of(report, "NOUN").mean == Measure.undefined("no scored pair")
    assert row_of(report, "NOUN", section="simulated").mean.value == 1.5
    assert row_of(report, "VERB", section="simulated").judgements == 0
    assert (report.people.raters.number, report.simulated.raters.number) == (2, 2)


def test_an_excluded_rater_changes_the_scores(rated, judge):
    cast = list(rated.enrolments.order_by("pk"))
    cast[1].exclude("answered at random", timezone.now())
    row = row_of(build_report(rated), "NOUN")
    # (4, 5), (3, 2), (2, 1) are left.
    assert row.mean.value == pytest.approx((4.5 + 2.5 + 1.5) / 3, abs=1e-6)
    assert row_of(build_report(rated), "VERB").dropped == 0


def test_raters_without_overlap(make_study, enrol, judge):
    study = make_study(items=4)
    for item, rating in zip(study.items.all(), (1, 3, 4, 5), strict=True):
        judge(item, enrol(study), rating)
    overall = build_report(study).people.overall
    assert overall.alpha == Measure.undefined("no pair has two ratings")
    assert overall.mean == Measure.undefined("no scored pair")
    assert overall.fair_answers == Share(3, 4, "no ratings")


def test_one_rater_is_enough_for_a_study_of_one_place(make_study, enrol, judge):
    study = make_study(items=4, seats_per_item=1)
    only = enrol(study)
    for item, rating in zip(study.items.order_by("pk"), (2, 3, 5, 5), strict=True):
        judge(item, only, rating)
    report = build_report(study)
    assert report.people.overall.mean.value == 3.75
    assert report.people.overall.alpha == Measure.undefined("no pair has two ratings")
    assert report.people.largest_share == Share(4, 4)


@pytest.mark.parametrize("opened", [True, False])
def test_no_judgements_at_all(make_study, opened):
    report = build_report(make_study(items=4, opened=opened))
    assert report.people.judgements == report.totals.stored == 0
    assert report.people.overall.too_abstract_rate == Share(0, 0)
    assert all(row.unscored == row.pairs == 1 for row in report.people.rows)


def test_the_seed_moves_intervals_only_and_repeats(rated):
    assert build_report(rated, seed=1) == build_report(rated, seed=1)
    # Few patterns make few different resamples, so two seeds may well meet in one interval; six do not in all.
    several = [build_report(rated, seed=seed).people.overall for seed in range(6)]
    assert len({(row.mean, row.alpha) for row in several}) > 1
    assert len({(row.mean.value, row.alpha.value) for row in several}) == 1


def test_a_report_takes_five_queries_whatever_its_size(rated, django_assert_max_num_queries):
    # Judgements (by COPY on PostgreSQL, which is not counted), items, raters, their checks, preregistrations.
    with django_assert_max_num_queries(5):
        build_report(rated)
