"""Deviations from a preregistration: one change is one deviation, no change is none, and each says when and by whom."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation_site import audit
from annotation_site.payments.models import PayScheme
from annotation_site.raters.models import Source
from annotation_site.rating import assignment
from annotation_site.reports import comparisons
from annotation_site.reports.exclusions import apply, hits
from annotation_site.reports.exports.writing import export_study
from annotation_site.reports.loading import load
from annotation_site.reports.preregistration import comparing, plan, software
from annotation_site.reports.preregistration.deviations import Deviation, deviations
from annotation_site.reports.preregistration.registering import register
from annotation_site.stimuli.models import Generation, Recipe
from annotation_site.studies.members import Member
from annotation_site.studies.models import ConsentText, Item, KnownAnswer, Registration, Study
from attribution import records

RULE = {"name": "at odds", "all": [{"measure": "correlation", "below": 0.0}]}
# One change each: the study's field, its new value, and the deviation that it is, in its words.
CHANGED: list[tuple[str, Any, tuple[str, str, str]]] = [
    ("title", "Another", ("Title", "A study", "Another")),
    ("stimuli_access", "private", ("Who can see its images", "public", "private")),
    ("seats_per_item", 5, ("Raters of each item", "3", "5")),
    ("cap_share", 0.25, ("Largest share of one rater", "1", "0.25")),
    ("lease_minutes", 20, ("Minutes that an item is kept for a rater", "15", "20")),
    ("adaptive_stages", [3, 5], ("Raters of items that divide them", "-", "3, 5")),
    ("adaptive_spread", 1.5, ("How far apart ratings disagree", "2", "1.5")),
    ("interpretable_minimum", 7, ("Scored pairs that make a tag interpretable", "0", "7")),
    ("first_view", "beside", ("How maps are first shown", "overlay", "beside")),
    ("colours", "grey", ("Colours of the maps", "inferno", "grey")),
    ("instructions_shown", True, ("Instructions are shown", "no", "yes")),
    ("practice_pass_mark", 60, ("Practice: percent to pass", "0", "60")),
    ("practice_attempts", 1, ("Practice: attempts", "2", "1")),
    ("break_every", 20, ("Answers between breaks", "0", "20")),
    ("check_every", 10, ("Answers between checks", "0", "10")),
    ("checks_may_fail", 0, ("Checks that may fail", "1", "0")),
    ("check_consequence", "exclude", ("What follows from failed checks", "warn", "exclude")),
    ("ethics_number", "2026-7", ("Number of its approval", "-", "2026-7")),
    ("texts", {"en": {"question": "Is it right?"}}, ("The question",
        "en: How well does the highlighting reflect the word?; ko: 강조 표시가 단어를 얼마나 잘 나타내나요?",
        "en: Is it right?; ko: Is it right?")),
    ("exclusion_rules", [], ("Exclusion rules", "Exclusion rule “at odds”: correlation below 0.", "-")),
    ("sampling", {"seed": 4}, ("How items were drawn: seed", "-", "4")),
]  # fmt: skip


@pytest.fixture
def registered(make_study) -> Registration:
    study = make_study(items=8, exclusion_rules=[RULE])
    return register(study, {}, by="ada", now=assignment.database_now())[0]


@contextmanager
def undone() -> Iterator[None]:
    """What is changed within is not changed after."""
    point = transaction.savepoint()
    yield
    transaction.savepoint_rollback(point)


def said(found: list[Deviation]) -> list[tuple[str, str, str]]:
    return [(each.subject, each.registered, each.now) for each in found]


@pytest.mark.django_db
def test_untouched_nothing_deviates_and_each_setting_changed_is_exactly_one_deviation(registered):
    assert deviations(registered) == []
    study = Study.objects.filter(pk=registered.study_id)
    for field, value, expected in CHANGED:
        with undone():
            study.update(**{field: value})
            found = said(deviations(registered))
            assert [each[0] for each in found] == [expected[0]], field
            if field != "texts":
                assert found == [expected], field
    assert deviations(registered) == []


def test_every_setting_of_a_study_that_is_registered_was_changed_above():
    untried = {"slug", "kind", "cap", "ethics_board", "expected_minutes", "data_kept", "listed"}
    fields = {name for section, name in _labelled() if section in {"study", "about", "way", "assignment"}}
    assert fields - {field for field, *_ in CHANGED} == untried


def _labelled() -> Any:
    from annotation_site.reports.preregistration.labels import LABELS

    return LABELS


def recruit(study: Study) -> str:
    Source.objects.create(study=study, name="panel", kind="parameters", paid_by="outside")
    return "Source of raters: panel"


def pay(study: Study) -> str:
    PayScheme.objects.create(
        study=study, version=1, currency="USD", per_item=5, made_at=timezone.now(), made_by="bob"
    )  # fmt: skip
    return "Pay"


def ask_consent_anew(study: Study) -> str:
    ConsentText.objects.create(study=study, version="2", text="Agree to more.")
    Study.objects.filter(pk=study.pk).update(consent_version="2")
    return "The consent"


def reword_anchors(study: Study) -> str:
    Study.objects.filter(pk=study.pk).update(texts={"en": {"anchors": ["1", "2", "3", "4", "five"]}})
    return "The answers"


def instruct(study: Study) -> str:
    Study.objects.filter(pk=study.pk).update(texts={"ko": {"instructions": "천천히 보세요."}})
    return "The instructions"


@pytest.mark.django_db
@pytest.mark.parametrize("change", [recruit, pay, ask_consent_anew, reword_anchors, instruct])
def test_what_stands_in_other_rows_is_one_deviation_too(registered, change):
    subject = change(registered.study)
    assert [each.subject for each in deviations(registered)] == [subject]


def withdraw(study: Study, item: Item) -> tuple[str, str]:
    assignment.withdraw_item(item, reason="nothing is to be seen")
    return "in use", "withdrawn"


def put_another_seed(study: Study, item: Item) -> tuple[str, str]:
    before = item.generation.seed
    Generation.objects.filter(pk=item.generation_id).update(seed=before + 1)
    return f"seed: {before}", f"seed: {before + 1}"


def draw_with_another_recipe(study: Study, item: Item) -> tuple[str, str]:
    other = Recipe.objects.ensure(records.Recipe(model="test-model", steps=9, height=64, width=64))
    before = item.generation.recipe.digest[:12]
    Generation.objects.filter(pk=item.generation_id).update(recipe=other)
    named = "recipe: test-model, {} steps, guidance 7.5, 64 x 64 ({})"
    return named.format(2, before), named.format(9, other.digest[:12])


def draw_again(study: Study, item: Item) -> tuple[str, str]:
    before = item.generation.image_sha256
    Generation.objects.filter(pk=item.generation_id).update(image_sha256="f" * 64)
    return f"image: SHA-256 {before[:12]}", "image: SHA-256 ffffffffffff"


def ask_about_another_word(study: Study, item: Item) -> tuple[str, str]:
    Item.objects.filter(pk=item.pk).update(arm="blob", map_source="blob")
    return "arm: -; source of the map: own", "arm: blob; source of the map: blob"


def make_gold(study: Study, item: Item) -> tuple[str, str]:
    Item.objects.filter(pk=item.pk).update(purpose="gold")
    KnownAnswer.objects.create(item=item, lowest=4, highest=5)
    return "known answer: -; purpose: -", "known answer: highest: 5; lowest: 4; purpose: gold"


@pytest.mark.django_db
def test_each_change_of_an_item_is_one_deviation_that_names_the_item(registered):
    study = registered.study
    for change in (withdraw, put_another_seed, draw_with_another_recipe, draw_again, ask_about_another_word, make_gold):
        with undone():
            item = study.items.select_related("generation__recipe", "generation__prompt", "word").get(position=3)
            expected = change(study, item)
            found = said(deviations(registered))
            subject = f"Item 3, “{item.word.text}” in “{item.generation.prompt.text}”"
            assert found == [(subject, *expected)], change.__name__
    with undone():
        item.pk, item.position, item.arm, item.purpose = None, 8, "", "practice"
        item.save()
        assert [row[1:] for row in said(deviations(registered))] == [("not in the study", "added (practice)")]
    with undone():
        study.seats.filter(item__position=7).delete()
        study.items.filter(position=7).delete()
        assert [row[1:] for row in said(deviations(registered))] == [("in the study", "deleted")]
    assert deviations(registered) == []


@pytest.mark.django_db
def test_what_a_draft_left_open_deviates_from_nothing(make_study, finish):
    study = make_study(items=2, opened=False, done=False)
    made, _new = register(study, {}, by="ada", now=assignment.database_now())
    for generation in Generation.objects.filter(items__study=study).select_related("prompt"):
        finish(generation)
    assignment.open_study(study)
    assert deviations(made) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("place", "name", "value", "subject"),
    [
        (plan, "RESAMPLES", 500, "Resamples of the bootstraps"),
        (plan, "CONFIDENCE", 0.9, "Level of the intervals"),
        (plan, "SEED", 3, "Seed of the bootstraps"),
        (comparisons, "PERMUTATIONS", 100, "Permutations of comparisons"),
    ],
)
def test_analyses_that_differ_deviate(registered, monkeypatch, place, name, value, subject):
    monkeypatch.setattr(place, name, value)
    assert [(each.subject, each.changes) for each in deviations(registered)] == [(subject, ())]


@pytest.mark.django_db
def test_another_version_of_the_software_deviates(registered, monkeypatch):
    known = software.versions()["numpy"]
    monkeypatch.setattr(
        software, "_version", lambda name: {"numpy": "1.0"}.get(name) or software.metadata.version(name)
    )
    assert said(deviations(registered)) == [("Version of numpy", known, "1.0")]


@pytest.mark.django_db
def test_when_by_whom_and_whether_there_was_data(registered, fill, django_user_model):
    eve = django_user_model.objects.create_user("eve")
    study = Study.objects.get(pk=registered.study_id)
    token = audit.user.set(lambda: eve)
    try:
        study.lease_minutes = 30
        study.save()
        raters = fill(study, {"NOUN": [(4, 5, 5)]})
        study.lease_minutes = 45
        study.save()
        assert raters[0].exclude("I did not like the answers", assignment.database_now())
    finally:
        audit.user.reset(token)
    lease, rater = deviations(registered)
    assert (lease.registered, lease.now) == ("15", "45")
    assert [(change.by, change.answers) for change in lease.changes] == [("eve", 0), ("eve", 3)]
    assert rater.subject == f"Rater {raters[0].rater.pseudonym}"
    assert rater.now == "excluded: I did not like the answers"
    assert [(change.by, change.answers) for change in rater.changes] == [("eve", 3)]
    assert registered.registered_at < lease.changes[0].at < lease.changes[1].at


def change(study: Study, **fields: Any) -> None:
    """As a form does."""
    row = Study.objects.get(pk=study.pk)
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


@pytest.mark.django_db
def test_each_setting_that_was_otherwise_for_a_while_is_listed_though_it_is_as_registered_again(registered):
    study = Study.objects.get(pk=registered.study_id)
    for field, value, (subject, known, then) in CHANGED:
        if field == "sampling":  # How items were drawn is nobody's to change, and in no log.
            continue
        with undone():
            change(study, **{field: value})
            change(study, **{field: getattr(study, field)})
            (found,) = deviations(registered)
            assert (found.subject, len(found.changes)) == (subject, 2), field
            if field != "texts":
                assert (found.registered, found.now) == (known, f"as registered again; in between: {then}")
    assert deviations(registered) == []


@pytest.mark.django_db
def test_what_was_put_back_is_told_with_each_value_that_it_had_and_when(registered, fill):
    study = registered.study
    for minutes in (30, 45, 30):
        change(study, lease_minutes=minutes)
    fill(study, {"NOUN": [(4, 5, 5)]})
    change(study, lease_minutes=15, title="Another")
    lasting, passing = deviations(registered)
    assert (lasting.subject, lasting.now) == ("Title", "Another")
    assert passing.now == "as registered again; in between: 30, then 45"
    assert [each.answers for each in passing.changes] == [0, 0, 0, 3]


@pytest.mark.django_db
def test_a_consent_that_was_another_for_a_while_is_listed(registered):
    ConsentText.objects.create(study=registered.study, version="2", text="Agree to more.")
    for version in ("2", "1"):
        change(registered.study, consent_version=version)
    (found,) = deviations(registered)
    assert found.subject == "The consent"
    assert "Agree to more." in found.now


@pytest.mark.django_db
def test_an_item_that_was_withdrawn_for_a_while_is_listed(registered, fill):
    study = registered.study
    item = study.items.get(position=0)
    assignment.withdraw_item(item)
    fill(study, {"VERB": [(4, 5, 5)]})
    assert assignment.put_item_back(item)
    (found,) = deviations(registered)
    assert found.subject.startswith("Item 0, ")
    assert (found.registered, found.now) == ("in use", "as registered again; in between: withdrawn")
    assert [each.answers for each in found.changes] == [0, 3]
    # Withdrawn again it deviates as it is, once.
    assignment.withdraw_item(item)
    assert [each.now for each in deviations(registered)] == ["withdrawn"]


@pytest.mark.django_db
def test_an_item_that_was_registered_as_withdrawn_and_in_use_for_a_while_is_listed(make_study):
    study = make_study(items=4)
    item = study.items.get(position=1)
    assignment.withdraw_item(item)
    made, _new = register(study, {}, by="ada", now=assignment.database_now())
    assert deviations(made) == []
    assignment.put_item_back(item)
    assignment.withdraw_item(item)
    assert [row[1:] for row in said(deviations(made))] == [("withdrawn", "as registered again; in between: in use")]


@pytest.mark.django_db
def test_what_a_draft_put_back_was_shown_to_nobody(make_study):
    study = make_study(items=4, opened=False)
    made, _new = register(study, {}, by="ada", now=assignment.database_now())
    item = study.items.get(position=1)
    assignment.withdraw_item(item)
    assignment.put_item_back(item)
    change(study, title="Another")
    change(study, title="A study", lease_minutes=30)
    assignment.open_study(study)
    assert [each.subject for each in deviations(made)] == ["Minutes that an item is kept for a rater"]
    change(study, lease_minutes=15)
    assert [each.now for each in deviations(made)] == ["as registered again; in between: 30"]


@pytest.mark.django_db
def test_who_is_excluded_by_a_registered_rule_is_no_deviation(registered, fill):
    study = registered.study
    fill(study, {"NOUN": [(1, 1, 5), (5, 5, 1)], "VERB": [(1, 1, 5), (5, 5, 1)]})
    assert apply(study, hits(load(study)), assignment.database_now()) == 1
    assert deviations(registered) == []
    # The same name in a rule that was not registered excludes nobody beforehand.
    other = study.enrolments.filter(excluded_at__isnull=True).first()
    other.exclude("too quick: median_seconds 0.4 is below 1", assignment.database_now())
    assert [each.subject for each in deviations(registered)] == [f"Rater {other.rater.pseudonym}"]
    # Nor does its name in words that a person wrote.
    other.restore("our mistake")
    other.exclude("at odds: I did not like the answers", assignment.database_now())
    assert [each.subject for each in deviations(registered)] == [f"Rater {other.rater.pseudonym}"]


@pytest.mark.django_db
def test_many_excluded_raters_are_looked_up_together(registered, fill, django_assert_num_queries):
    raters = fill(registered.study, {"NOUN": [(4, 5, 5)]})
    raters[0].exclude("slept", assignment.database_now())
    deviations(registered)
    with CaptureQueriesContext(connection) as one:
        assert len(deviations(registered)) == 1
    for rater in fill(registered.study, {}):
        rater.exclude("slept", assignment.database_now())
    with django_assert_num_queries(len(one)):
        assert len(deviations(registered)) == 4


@pytest.mark.django_db
def test_whom_a_registered_rule_leaves_out_and_who_counts_is_a_deviation_of_a_closed_study(registered, fill):
    study = registered.study
    fill(study, {"NOUN": [(1, 1, 5), (5, 5, 1)], "VERB": [(1, 1, 5), (5, 5, 1)]})
    apply(study, hits(load(study)), assignment.database_now())
    assignment.close_study(study)
    assert [each.subject for each in deviations(registered)] == ["Sample size"]
    odd = study.enrolments.get(excluded_at__isnull=False)
    reason = odd.exclusion_reason
    odd.restore("we like them")
    kept, _short = deviations(registered)
    assert (kept.subject, kept.registered, kept.now) == (
        f"Rater {odd.rater.pseudonym}", f"excluded: {reason}", "counts",
    )  # fmt: skip
    assert [change.answers for change in kept.changes] == [12]


@pytest.mark.django_db
def test_a_rule_whose_bound_was_changed_under_its_name_is_another_rule(registered, fill):
    study = registered.study
    fill(study, {"NOUN": [(1, 1, 5), (5, 5, 1)], "VERB": [(1, 1, 5), (5, 5, 1)]})
    # The odd one's correlation with the others is -1, theirs with what is left is undefined: registered below 0.
    Study.objects.update(exclusion_rules=[{**RULE, "all": [{"measure": "correlation", "below": -2.5}]}])
    study.refresh_from_db()
    assert hits(load(study)) == []
    assignment.close_study(study)
    rules, kept, _short = deviations(registered)
    assert (rules.subject, kept.registered, kept.now) == (
        "Exclusion rules", "excluded: at odds: correlation -1 is below 0", "counts",
    )  # fmt: skip


@pytest.mark.django_db
def test_who_is_excluded_by_a_changed_rule_alone_is_a_deviation(make_study, fill):
    # Bounds that are no whole numbers are registered as text.
    study = make_study(items=8, exclusion_rules=[{**RULE, "all": [{"measure": "correlation", "below": -1.5}]}])
    made, _new = register(study, {}, by="ada", now=assignment.database_now())
    fill(study, {"NOUN": [(1, 1, 5), (5, 5, 1)], "VERB": [(1, 1, 5), (5, 5, 1)]})
    Study.objects.update(exclusion_rules=[{**RULE, "all": [{"measure": "correlation", "below": -0.5}]}])
    study.refresh_from_db()
    assert apply(study, hits(load(study)), assignment.database_now()) == 1
    odd = study.enrolments.get(excluded_at__isnull=False)
    for _state in ("open", "closed"):
        found = {each.subject: each.now for each in deviations(made)}
        assert found[f"Rater {odd.rater.pseudonym}"] == "excluded: at odds: correlation -1 is below -0.5"
        assignment.close_study(study)


@pytest.mark.django_db
def test_who_is_excluded_by_a_changed_rule_and_would_be_by_the_registered_one_is_no_deviation(registered, fill):
    study = registered.study
    fill(study, {"NOUN": [(1, 1, 5), (5, 5, 1)], "VERB": [(1, 1, 5), (5, 5, 1)]})
    Study.objects.update(exclusion_rules=[{**RULE, "all": [{"measure": "correlation", "below": 0.5}]}])
    study.refresh_from_db()
    apply(study, hits(load(study)), assignment.database_now())
    assignment.close_study(study)
    assert [each.subject for each in deviations(registered)] == ["Exclusion rules", "Sample size"]


@pytest.mark.django_db
@pytest.mark.parametrize(("consequence", "expected"), [("exclude", 0), ("warn", 1)])
def test_failed_checks_exclude_by_the_registered_consequence_alone(make_study, enrol, consequence, expected):
    study = make_study(items=2, check_consequence=consequence)
    made, _new = register(study, {}, by="ada", now=assignment.database_now())
    rater = enrol(study)
    rater.check_failure = "failed 3 of 4 checks: each of them"
    rater.save()
    rater.exclude(rater.check_failure, assignment.database_now())
    assert len(deviations(made)) == expected
    rater.restore("they slipped")
    assert [each.now for each in deviations(made)] == ["counts"] * (1 - expected)


@pytest.mark.django_db
def test_a_draft_whose_consent_is_to_be_written_anew_is_registered_without_its_text(make_study, client):
    study = make_study(items=1, opened=False)
    # Its text was deleted, which a draft's may be.
    Study.objects.update(consent_version="ours")
    made, _new = register(study, {}, by="ada", now=assignment.database_now())
    assert '"consent":{"text":{"en":[],"ko":[],"version":"ours"}}' in made.document
    assert client.get("/reports/study/deviations/").status_code == client.get("/reports/study/").status_code == 200
    ConsentText.objects.create(study=study, version="ours", locale="en", text="Our own.")
    (written,) = deviations(made)
    assert (written.registered, written.now) == ("en: -; ko: -", "en: Our own.; ko: Our own.")


@pytest.mark.django_db
def test_a_closed_study_that_fell_short_says_so(make_study, fill):
    study = make_study(items=2)
    made, _new = register(study, {}, by="ada", now=assignment.database_now())
    fill(study, {"NOUN": [(4, 5, 5)], "VERB": [(4, 5)]})
    assert deviations(made) == []
    assignment.close_study(study)
    (short,) = deviations(made)
    assert (short.subject, short.registered) == ("Sample size", "6 answers that count")
    assert short.now == "5 answers that count, and the study is closed"
    assert [change.answers for change in short.changes] == [5]


BASE = {
    "study": {"title": "A", "kind": "likert"},
    "way": {f"rule {number}": number for number in range(6)},
    "sampling": {"seed": 0, "source": "x"},
    "pay": {"scheme": {"base": 1, "most": None}},
}
PLACES = [(section, name) for section, held in BASE.items() for name in held]


@settings(max_examples=60)
@given(st.sets(st.sampled_from(PLACES)), st.sets(st.text("ab", min_size=1)))
def test_exactly_what_was_changed_is_listed_whatever_it_is(changed, added):
    now = copy.deepcopy(BASE)
    for section, name in changed:
        now[section][name] = {"base": 2} if name == "scheme" else "changed"
    now["sampling"] |= dict.fromkeys(added, 1)
    # Settings that a later version of Attest knows were open to everybody.
    now["way"]["a new rule"] = 1
    found = {(each.section, each.name) for each in comparing.settings(BASE, now)}
    assert found == changed | {("sampling", name) for name in added}
    assert comparing.settings(BASE, BASE) == []


@pytest.fixture
def deviating(registered, fill) -> Study:
    study = registered.study
    fill(study, {"NOUN": [(4, 5, 5)]})
    Study.objects.filter(pk=study.pk).update(break_every=9)
    assignment.withdraw_item(study.items.get(position=0))
    return study


@pytest.mark.django_db
def test_the_report_its_files_and_the_export_say_the_same(deviating, registered, tmp_path, capsys):
    call_command("report", "study")
    text = capsys.readouterr().out
    front = f"(SHA-256 {registered.sha256}), before anybody had answered; 2 deviations."
    assert front in text
    assert "Answers between breaks" in text
    export_study(deviating, tmp_path / "export", images=False)
    folder = tmp_path / "export" / "preregistration"
    assert (folder / "study-preregistration-1.json").read_text(encoding="utf-8") == registered.document
    for source in (["study"], ["--from-export", str(tmp_path / "export")]):
        call_command("report", *source, "--json")
        report = json.loads(capsys.readouterr().out)
        assert len(report["preregistration"]["deviations"]) == 2
        call_command("report", *source, "--json", "--seed", "5")
        last = json.loads(capsys.readouterr().out)["preregistration"]["deviations"][-1]
        assert last == {"subject": "Seed of the bootstraps", "registered": "0", "now": "5", "when": "in this report"}
    call_command("report", "study", "--json")
    once = capsys.readouterr().out
    call_command("report", "--from-export", str(tmp_path / "export"), "--json")
    assert capsys.readouterr().out == once


@pytest.mark.django_db
def test_the_pages_link_and_list_the_deviations(deviating, registered, client, settings):
    settings.ATTEST_ENV = "production"
    viewer = User.objects.create_user("viewer")
    Member.objects.create(study=deviating, user=viewer, role="viewer")
    client.force_login(viewer)
    front = client.get("/reports/study/").content.decode()
    assert "before anybody had answered; 2 deviations." in front
    assert 'href="/reports/study/deviations/"' in front
    page = client.get("/reports/study/deviations/").content.decode()
    assert page.count('<tr><th scope="row">') == 2
    assert "after 3 answers" in page
    assert "Not known: nothing noted it." in page
    content = client.get("/reports/study/deviations.json").json()
    assert content["deviations"][0]["subject"] == "Answers between breaks"
    assert datetime.fromisoformat(content["checked_at"]) > registered.registered_at
    assert client.get("/reports/study/deviations/?version=2").status_code == 404
    assert client.get("/reports/study/deviations/?version=²").status_code == 404
    client.force_login(User.objects.create_user("stranger"))
    assert client.get("/reports/study/deviations/").status_code == 404


@pytest.mark.django_db
def test_without_deviations_and_without_a_registration_the_page_says_so(make_study, registered, client):
    make_study(slug="bare", items=1)
    assert "<b>No deviation</b>" in client.get("/reports/study/deviations/").content.decode()
    assert "Nothing was registered" in client.get("/reports/bare/deviations/").content.decode()
    assert client.get("/reports/bare/deviations.json").status_code == 404
    assert "reregistered on" not in client.get("/reports/bare/").content.decode()
