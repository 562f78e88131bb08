"""Exclusion rules: stated in form, applied as stated, logged as rule -> n; and the plan of a study."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from annotation_site.reports.exclusions import hits
from annotation_site.reports.exports.reading import load_export
from annotation_site.reports.formats import as_json
from annotation_site.reports.loading import load
from annotation_site.reports.report import build_report, report_of
from annotation_site.studies.reporting_rules import check_exclusion_rules

AT_ODDS = {"name": "at odds", "least_answers": 4, "all": [{"measure": "correlation", "below": 0}]}


@pytest.fixture
def ruled(make_study, enrol, judge):
    """Six items, three raters: two agree, the third says the opposite; answers take 5, 5 and 1 s."""
    study = make_study(items=6, exclusion_rules=[AT_ODDS])
    raters = [enrol(study) for _ in range(3)]
    for item, rating in zip(study.items.order_by("position"), (1, 2, 3, 4, 5, 5), strict=True):
        for rater, given, seconds in zip(raters, (rating, rating, 6 - rating), (5, 5, 1), strict=True):
            judge(item, rater, given, browser_milliseconds=1000 * seconds)
    return study, raters


def test_the_rater_at_odds_with_the_others_is_found(ruled):
    study, raters = ruled
    (hit,) = hits(load(study))
    assert hit.rater == raters[2].rater.pseudonym
    # Each other rater's mean with the third's is flat, so theirs is undefined; the third's is -1.
    assert hit.reason == "at odds: correlation -1 is below 0"


def test_rules_are_shown_then_applied_and_logged(ruled, capsys):
    study, raters = ruled
    call_command("apply_exclusions", "study")
    assert "at odds -> 1\nNobody was excluded" in capsys.readouterr().out
    assert build_report(study).exclusions == ()
    call_command("apply_exclusions", "study", "--apply")
    assert "1 raters newly excluded" in capsys.readouterr().out
    raters[2].refresh_from_db()
    assert raters[2].exclusion_reason == "at odds: correlation -1 is below 0"
    report = build_report(study)
    (logged,) = report.exclusions
    assert (logged.reason, logged.raters, logged.judgements) == ("at odds", 1, 6)
    counted, before = report.sensitivity[:2]
    # Medians of two equal answers are theirs, and so were those of three.
    assert counted.value.value == before.value.value == pytest.approx(20 / 6, abs=1e-6)
    assert (counted.alpha.value, before.judgements) == (1, 18)
    call_command("apply_exclusions", "study", "--apply")
    assert "0 raters newly excluded" in capsys.readouterr().out


def test_exclusions_travel_with_the_export(ruled, tmp_path):
    study, _ = ruled
    call_command("apply_exclusions", "study", "--apply")
    call_command("export_study", "study", "--out", str(tmp_path / "out"), "--no-images")
    read = load_export(tmp_path / "out")
    assert read.facts.rules == (AT_ODDS,)
    assert as_json(report_of(read)) == as_json(build_report(study))


def test_all_conditions_must_hold_and_enough_answers(ruled):
    study, _ = ruled
    data = load(study)
    for rule, number in (
        ({**AT_ODDS, "least_answers": 7}, 0),
        ({**AT_ODDS, "all": [*AT_ODDS["all"], {"measure": "median_seconds", "below": 2}]}, 1),
        ({**AT_ODDS, "all": [*AT_ODDS["all"], {"measure": "median_seconds", "above": 2}]}, 0),
        ({**AT_ODDS, "all": [{"measure": "checks_failed", "above": 0}]}, 0),
    ):
        study.exclusion_rules = [rule]
        check_exclusion_rules(study.exclusion_rules)
        assert len(hits(type(data)(load(study).facts, data.items, data.raters, data.judgements))) == number


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("none", "write a list"),
        ([{"name": "x"}], "“all” is a list"),
        ([{"name": "", "all": []}], "needs a name"),
        ([{"name": "a: b", "all": AT_ODDS["all"]}], "without a colon"),
        ([{**AT_ODDS, "why": 1}], "needs a name"),
        ([AT_ODDS, AT_ODDS], "two rules have one name"),
        ([{"name": "x", "all": [{"measure": "height", "above": 2}]}], "measure 'height' is none of"),
        ([{"name": "x", "all": [{"measure": "correlation", "above": 1, "below": 0}]}], "needs one limit"),
        ([{"name": "x", "all": [{"measure": "correlation", "below": "0"}]}], "needs one limit"),
        ([{"name": "x", "all": [{"measure": "quick_share", "above": 0.5}]}], "never grounds alone"),
        ([{**AT_ODDS, "least_answers": "4"}], "is a whole number"),
    ],
)
def test_rules_out_of_form_are_refused(rules, said):
    with pytest.raises(ValidationError, match=said):
        check_exclusion_rules(rules)


def test_a_study_without_rules_says_where_they_go(make_study):
    make_study(items=1)
    with pytest.raises(CommandError, match="has no exclusion rules: state them in the admin"):
        call_command("apply_exclusions", "study")


def test_rules_are_fixed_when_the_study_opens(ruled):
    study, _ = ruled
    study.refresh_from_db()
    study.exclusion_rules = []
    with pytest.raises(ValidationError, match="fixed"):
        study.full_clean()


def test_the_plan_of_the_paper_s_contrast(capsys):
    call_command("plan_study")
    printed = capsys.readouterr().out
    # The pooled z of 61% against 52%: 234 observed, 476 for a power of 80%.
    assert "from 234 images a condition" in printed
    assert "476" in printed
    call_command("plan_study", "--shares", "0.61", "0.52", "--images-a-pair", "5", "--correlation", "0.25")
    # Design effect 1 + 4 x 0.25: twice as many.
    assert "952" in capsys.readouterr().out


def test_the_plan_of_means_and_of_contrasts(capsys):
    call_command("plan_study", "--means", "3.4", "3.7", "--spread", "1")
    # 2 (1.96 + 0.8416)^2 / 0.3^2 = 174.4.
    assert "80% needs 175 pairs" in capsys.readouterr().out
    call_command("plan_study", "--means", "3", "3", "4")
    printed = capsys.readouterr().out
    assert "3 and 4" in printed
    assert "Any of them: 100%" in printed
    with pytest.raises(CommandError, match="at least two tags"):
        call_command("plan_study", "--means", "3")
