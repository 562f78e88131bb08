"""Contrasts, arms, noun groups, raters and what the headline owes to each: hand-made answers, numbers by hand."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from annotation_site.rating.models import Seat
from annotation_site.rating.simulation import simulate
from annotation_site.reports import latex
from annotation_site.reports.document import as_html
from annotation_site.reports.measures import Measure, Share
from annotation_site.reports.nouns import group_of
from annotation_site.reports.report import build_report
from annotation_site.reports.report_tables import tables


@pytest.fixture
def armed(make_study, enrol, judge):
    """Eight words with two maps each, two raters: DAAM's maps get 4 and 5, blobs 2 and 3, but for one tie."""
    study = make_study(items=8, seats_per_item=2, arms=("daam", "blob"))
    raters = [enrol(study), enrol(study)]
    tied = study.items.filter(arm="blob").order_by("position").first()
    for item in study.items.all():
        good = item.arm == "daam" or item.pk == tied.pk
        for rater, rating in zip(raters, (4, 5) if good else (2, 3), strict=True):
            judge(item, rater, rating)
    return study


def test_the_headline_of_a_study_with_arms_is_daam_s(armed):
    report = build_report(armed)
    assert report.people.overall.pairs == 8
    assert report.people.overall.mean.value == 4.5
    assert report.totals.counted == 32


def test_each_arm_is_compared_word_by_word(armed):
    rows = {row.tag: row for row in build_report(armed).people.arms}
    whole = rows["all tags"]
    # Seven words differ by 2, one by 0.
    assert (whole.pairs, whole.better, whole.equal, whole.worse) == (8, 7, 1, 0)
    assert whole.difference.value == 14 / 8
    assert (whole.reference_mean.value, whole.arm_mean.value) == (4.5, 2.75)
    # Swapping the maps of whole images: only all seven the same way round is as extreme, on either side.
    assert whole.p.value == pytest.approx(2 / 2**7, abs=0.006)
    assert whole.difference.low > 0
    assert sorted(rows) == ["ADJ", "DET", "NOUN", "VERB", "all tags"]
    assert {row.pairs for tag, row in rows.items() if tag != "all tags"} == {2}


def test_simulated_raters_can_tell_a_good_map_from_a_bad_one(make_study):
    study = make_study(items=40, seats_per_item=1, arms=("daam", "other-word", "uniform"))
    simulate(study, raters=1, seed=1)
    rows = build_report(study, include_simulated=True).simulated.arms
    whole = {row.arm: row.difference for row in rows if row.tag == "all tags"}
    # They like another word's map a point less and an even one 1.6 points less, with a spread of about 1.4 a word.
    assert whole["other-word"].value > 0
    assert whole["uniform"].low > 0


def test_tags_are_compared_two_by_two_the_higher_first(rated):
    rows = build_report(rated).people.contrasts
    assert {frozenset((row.first, row.second)) for row in rows} == {
        frozenset(pair) for pair in (("ADJ", "NOUN"), ("ADJ", "VERB"), ("NOUN", "VERB"))
    }
    by_pair = {frozenset((row.first, row.second)): row for row in rows}
    adj_noun = by_pair[frozenset(("ADJ", "NOUN"))]
    # Medians 4 4 4 against 5 3 2: of nine pairs ADJ wins six and loses three.
    assert (adj_noun.first, adj_noun.difference.value) == ("ADJ", pytest.approx(2 / 3, abs=1e-6))
    assert adj_noun.cliffs_delta.value == pytest.approx(3 / 9, abs=1e-6)
    assert adj_noun.p_holm.value >= adj_noun.p.value
    # One scored verb: a difference, and no more.
    verb = by_pair[frozenset(("ADJ", "VERB"))]
    assert (verb.difference.value, verb.difference.low, verb.p.value) == (0.5, None, None)
    assert verb.p.reason == "one image in a group"


def test_means_carry_intervals_over_raters_too(rated):
    row = next(row for row in build_report(rated).people.rows if row.tag == "NOUN")
    assert row.mean_crossed.value == row.mean.value
    assert row.mean_crossed.low <= row.mean_crossed.value <= row.mean_crossed.high
    # 4 5 5 3 4 2 2 2 1.
    assert row.mean_of_ratings.value == pytest.approx(28 / 9, abs=1e-6)
    dropped = next(row for row in build_report(rated).people.rows if row.tag == "DET")
    assert dropped.mean_crossed == Measure.undefined("no scored pair")
    assert dropped.mean_of_ratings == Measure.undefined("no ratings")


@pytest.mark.parametrize(
    ("medians", "low", "high"),
    # Raters who never differ add nothing: 3 -/+ t x s / sqrt(4), t = 4.302653 (2 degrees of freedom, for 3 raters).
    [((2, 3, 3, 4), 3 - 4.302653 * (2 / 3 / 4) ** 0.5, 3 + 4.302653 * (2 / 3 / 4) ** 0.5), ((1, 1, 5, 5), 1, 5)],
)
def test_the_interval_over_raters_is_student_s_and_ends_with_the_scale(make_study, fill, medians, low, high):
    study = make_study(items=4)
    assert study.items.values("generation").distinct().count() == 4
    fill(study, {tag: [(median,) * 3] for tag, median in zip(("ADJ", "DET", "NOUN", "VERB"), medians, strict=True)})
    found = build_report(study).people.overall.mean_crossed
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-5), pytest.approx(high, abs=1e-5))


def test_the_table_of_raters(rated):
    Seat.objects.all()
    crowd = build_report(rated).people.crowd
    assert crowd.raters == 3
    # 12, 11 and 11 answers.
    assert [row.judgements for row in crowd.rows] == [12, 11, 11]
    assert crowd.largest_share == Share(12, 34)
    assert crowd.effective_raters.value == pytest.approx(34**2 / (12**2 + 11**2 + 11**2), abs=1e-6)
    assert {row.checks for row in crowd.rows} == {Share(0, 0, "no checks")}
    assert crowd.rows[0].median_seconds == Measure.undefined("no times")


def test_times_are_the_browser_s(make_study, enrol, judge):
    study = make_study(items=4, seats_per_item=1)
    rater = enrol(study)
    for item, milliseconds in zip(study.items.order_by("pk"), (1000, 2000, 4000, None), strict=True):
        judge(item, rater, 3, browser_milliseconds=milliseconds)
    (row,) = build_report(study).people.crowd.rows
    assert (row.median_seconds.value, row.quick.value) == (2, pytest.approx(1 / 3, abs=1e-6))
    assert row.longest_run == 4


def test_the_headline_before_exclusions_and_without_each_rater(rated):
    cast = list(rated.enrolments.select_related("rater").order_by("pk"))
    cast[1].exclude("rule slow: median 40 s", timezone.now())
    report = build_report(rated)
    rows = {(row.terms, row.rater): row for row in report.sensitivity}
    counted, before = rows["as counted", ""], rows["before exclusions", ""]
    # Before: medians 5 3 2, 3.5, 4 4 4 as in the plain report.
    assert before.value.value == pytest.approx(25.5 / 7, abs=1e-6)
    assert before.judgements == 34
    # Without the second: nouns 4.5, 2.5, 1.5; verbs 5 with 4, 4 with 3; adjectives 4 each.
    assert counted.value.value == pytest.approx((4.5 + 2.5 + 1.5 + 4.5 + 3.5 + 4 + 4 + 4) / 8, abs=1e-6)
    assert before.change.value == pytest.approx(25.5 / 7 - 28.5 / 8, abs=1e-6)
    assert {name for terms, name in rows if terms == "without"} == {
        cast[0].rater.pseudonym,
        cast[2].rater.pseudonym,
    }
    # One rater of three is left: no pair keeps more than half of its places.
    assert rows["without", cast[0].rater.pseudonym].value == Measure.undefined("no scored pair")
    (exclusion,) = report.exclusions
    assert (exclusion.reason, exclusion.raters, exclusion.judgements) == ("rule slow", 1, 11)


@pytest.mark.parametrize(
    ("pair", "group"),
    [("cat and dog", "pets"), ("cat and zebra", "across groups"), ("hot dog and pizza", "meals"), ("cat", "pets")],
)
def test_nouns_belong_to_the_paper_s_groups(pair, group):
    assert group_of(pair) == group


def test_presence_by_group_noun_and_noun_pair(make_study, fill):
    study = make_study(kind="presence", items=8)
    fill(study, {"cohyponyms": [("B", "B", "1")] * 4, "non-cohyponyms": [("B", "1", "1")] * 4})
    people = build_report(study).people
    nouns = {(row.condition, row.part): row for row in people.objects}
    assert {part for _, part in nouns} == {"red", "dog"}
    assert (nouns["cohyponyms", "dog"].right_images, nouns["cohyponyms", "dog"].both) == (4, Share(8, 12))
    assert nouns["non-cohyponyms", "dog"].right.value == 0
    # One noun pair a condition: a difference of -1, and nothing to permute.
    assert people.clustered.difference.value == -1
    assert people.clustered.p.value is None
    assert (people.clustered.first_pairs, people.clustered.second_pairs) == (1, 1)


def test_latex_is_escaped_and_has_rules(rated):
    rated.title = "50% of A_1 & {B} \\ ~"
    rated.save()
    report = build_report(rated)
    for table in tables(report):
        source = latex.as_latex(report, table)
        body = "\n".join(source.splitlines()[1:])
        assert body.count(r"\toprule") == body.count(r"\midrule") == body.count(r"\bottomrule") == 1
        assert not re.search(r"(?<!\\)[%#$_]", body)
        columns = len(table.columns)
        lines = [line for line in body.splitlines() if line.endswith(r" \\")]
        assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {columns - 1}
    assert r"50\% of A\_1 \& \{B\} \textbackslash{} \textasciitilde{}" in source


def test_the_html_needs_nothing_else_and_escapes(rated):
    rated.title = "<script>alert(1)</script>"
    rated.save()
    page = as_html(build_report(rated))
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert 'alt="Mean of the pairs&#x27; median ratings' in page
    assert not re.search(r"\bnan\b", page, re.IGNORECASE)


def test_empty_studies_have_no_empty_tables(make_study):
    for kind in ("likert", "presence"):
        report = build_report(make_study(kind=kind, items=2, slug=kind, done=False, opened=False))
        assert all(table.rows for table in tables(report))
        assert "<h1>" in as_html(report)
