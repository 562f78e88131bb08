"""/api/v1/research/ : what a researcher's program reads, page by page, and whose it is."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.simulation import simulate
from annotation_site.reports.formats import as_json
from annotation_site.reports.report import build_report
from annotation_site.studies.members import Member
from tests.annotation_site.api.researchers import Research, researcher

pytestmark = pytest.mark.django_db
LISTS = ("items", "generations", "enrolments", "judgements")
ALL = (*LISTS, "progress", "report")


def pages(program, path):
    """Every page of a list, by following next."""
    while path:
        body = program.get(path).json()
        yield body["results"]
        path = body["next"]


def test_pages_follow_each_other_and_hold_each_row_once(make_study, research):
    study = make_study(items=7)
    found = list(pages(research(study), "studies/study/items/?limit=3"))
    assert [len(page) for page in found] == [3, 3, 1]
    assert [row["position"] for page in found for row in page] == list(range(7))


def test_rows_that_are_added_between_two_pages_move_nothing(make_study, research):
    study = make_study()
    program = research(study)
    for _ in range(4):
        Enrolment.objects.create(study=study, rater=Rater.objects.create())
    before = [row.rater.pseudonym for row in study.enrolments.order_by("pk")]
    first = program.get("studies/study/enrolments/?limit=2")
    late = Enrolment.objects.create(study=study, rater=Rater.objects.create())
    assert first["Link"] == f'<{first.json()["next"]}>; rel="next"'
    rest = [row["rater"] for page in pages(program, first.json()["next"]) for row in page]
    assert [row["rater"] for row in first.json()["results"]] + rest == [*before, late.rater.pseudonym]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"), ("limit=²", "limit"),
        ("cursor=abc", "cursor"), ("cursor=", "cursor"), ("colour=red", "colour"), ("purpose=none", "purpose"),
    ],
)  # fmt: skip
def test_what_a_list_cannot_make_sense_of_is_named(make_study, research, query, field):
    answer = research(make_study()).get(f"studies/study/items/?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert list(answer.json()["errors"]) == [field]


def test_a_cursor_is_of_its_own_list_and_filters(make_study, research):
    program = research(make_study(items=4))
    cursor = program.get("studies/study/items/?limit=1").json()["next"].partition("cursor=")[2]
    assert program.get(f"studies/study/items/?cursor={cursor}&limit=2").status_code == 200
    for other in ("items/?withdrawn=false&", "generations/?"):
        assert "other filters" in program.get(f"studies/study/{other}cursor={cursor}").json()["errors"]["cursor"][0]
    assert program.get(f"studies/study/items/?cursor={cursor[:-2]}xx").status_code == 400


def test_lists_are_narrowed_by_filters(make_study, research):
    study = make_study(items=4)
    simulate(study, raters=1, seed=0)
    person = Enrolment.objects.create(study=study, rater=Rater.objects.create())
    person.exclude("a test", assignment.database_now())
    assignment.withdraw_item(study.items.get(position=2))
    program = research(study)

    def number(query):
        return len(program.get(f"studies/study/{query}").json()["results"])

    assert [number(f"items/?withdrawn={flag}") for flag in ("true", "false")] == [1, 3]
    assert number("items/?tag=NOUN") == 1
    assert [number(f"enrolments/?{name}=true") for name in ("simulated", "excluded", "completed")] == [1, 1, 0]
    assert [number(f"generations/?state={state}") for state in ("done", "failed")] == [3, 0]
    assert number("judgements/?simulated=true&item=0") == 1
    assert [number(f"judgements/?counted={flag}") for flag in ("true", "false")] == [0, 4]
    assert number("judgements/?answered_before=2020-01-01T00:00:00Z") == 0


def test_no_answer_holds_a_link_or_an_id_of_a_rater(make_study, research, program):
    study = make_study()
    body = {"study": "study", "consent": True, "consent_version": "1", "external_id": "5f0c2c1e7a53"}
    token = program.post("enrolments/", body).json()["token"]
    simulate(study, raters=1, seed=0)
    reader = research(study)
    everything = "".join(reader.get(f"studies/study/{name}/").content.decode() for name in ALL)
    secrets = [token, "5f0c2c1e7a53", *study.enrolments.values_list("token", flat=True)]
    hashes = [text for text in study.enrolments.values_list("external_hash", flat=True) if text]
    assert hashes
    assert [text for text in [*secrets, *hashes] if text in everything] == []


def test_simulated_raters_are_marked_wherever_they_are(make_study, research):
    study = make_study(items=2)
    simulate(study, raters=1, seed=0)
    program = research(study)
    assert [row["simulated"] for row in program.get("studies/study/enrolments/").json()["results"]] == [True]
    rows = program.get("studies/study/judgements/").json()["results"]
    assert {(row["simulated"], row["fate"]) for row in rows} == {(True, "simulated")}
    assert len(rows) == 2


def test_the_report_is_that_of_the_page(make_study, research):
    study = make_study(items=2)
    simulate(study, raters=2, seed=0)
    program = research(study)
    assert program.get("studies/study/report/").content == program.get("studies/study/report/?simulated=false").content
    wanted = build_report(study, include_simulated=True)
    body = program.get("studies/study/report/?simulated=true").json()
    assert as_json(wanted) == json.dumps(body, indent=2, ensure_ascii=False) + "\n"
    assert program.get("studies/study/report/?simulated=maybe").status_code == 400


@pytest.mark.parametrize("name", ALL)
def test_what_has_not_changed_is_not_sent_again(make_study, research, name):
    program = research(make_study())
    first = program.get(f"studies/study/{name}/")
    again = program.get(f"studies/study/{name}/", **{"If-None-Match": f'W/"x", {first["ETag"]}'})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again["ETag"] == first["ETag"]
    assert program.get(f"studies/study/{name}/", **{"If-None-Match": '"other"'}).status_code == 200


def test_a_changed_study_has_another_tag(make_study, research):
    study = make_study()
    program = research(study)
    tag = program.get("studies/study/")["ETag"]
    assignment.pause_study(study)
    assert program.get("studies/study/", **{"If-None-Match": tag}).json()["state"] == "paused"


@pytest.mark.parametrize("name", LISTS)
def test_a_page_costs_the_same_however_many_rows_it_has(make_study, research, name):
    study = make_study(items=8, seats_per_item=4)
    simulate(study, raters=4, seed=0)
    program = research(study)
    program.get(f"studies/study/{name}/?limit=1")
    counts = []
    for limit in (1, 4):
        with CaptureQueriesContext(connection) as seen:
            assert len(program.get(f"studies/study/{name}/?limit={limit}").json()["results"]) == limit
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 4


@pytest.mark.parametrize("path", ["", *(f"{name}/" for name in ALL), "items/0/", "generations/abc/", "enrolments/R-1/"])
def test_other_peoples_studies_do_not_exist(make_study, path):
    make_study()
    stranger = Research(researcher("eve"))
    answer = stranger.get(f"studies/study/{path}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert stranger.get("studies/").json()["results"] == []


def test_viewers_read_and_admins_see_all(make_study):
    study = make_study()
    viewer = Research(researcher("vera", study, role=Member.Role.VIEWER))
    admin = Research(User.objects.create(username="root", is_superuser=True, is_staff=True))
    for reader in (viewer, admin):
        assert [row["slug"] for row in reader.get("studies/").json()["results"]] == ["study"]
        assert reader.get("studies/study/report/").status_code == 200
    assert viewer.post("studies/study/pause/").status_code == 404
    assert admin.post("studies/study/pause/").status_code == 200


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("read:studies", {"", "items/", "generations/", "progress/"}),
        ("read:judgements", {"enrolments/", "judgements/"}),
        ("read:reports", {"report/"}),
        ("write:studies", set()),
        ("rater", set()),
    ],
)
def test_a_token_reads_what_its_scopes_say(make_study, research, scope, allowed):
    program = research(make_study(), scopes=(scope,))
    paths = ["", *(f"{name}/" for name in ALL)]
    assert {path for path in paths if program.get(f"studies/study/{path}").status_code == 200} == allowed
    assert {program.get(f"studies/study/{path}").status_code for path in set(paths) - allowed} <= {403}


def test_without_a_token_of_an_account_nothing_is_read(make_study, program, enrolled):
    study = make_study()
    for who in (program, enrolled(study)):
        answer = who.get("research/studies/")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_an_account_is_throttled(make_study, research, settings):
    settings.RATES = {**settings.RATES, "researcher": "2/hour"}
    program = research(make_study())
    codes = [program.get("studies/").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
