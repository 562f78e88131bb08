"""/studies/<slug>/from/<source>/ : who comes, consent, caps, and how it ends."""

from __future__ import annotations

import logging

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from annotation_site.raters import identities
from annotation_site.raters.models import Enrolment, Rater, Source
from annotation_site.raters.sources.invitations import make_batch
from annotation_site.raters.sources.presets import PRESETS, arrival_address, new_source
from annotation_site.rating import assignment
from annotation_site.studies.models import Study

pytestmark = pytest.mark.django_db
AGREED = {"consent": "yes"}
SONA = "https://school.sona-systems.com/webstudy_credit.aspx?experiment_id=1&credit_token=2&survey_code={person}"


@pytest.fixture
def make_source(make_study):
    def make(preset: str = "panel", *, items: int = 2, seats_per_item: int = 3, **fields) -> Source:
        study = Study.objects.first() or make_study(items=items, seats_per_item=seats_per_item)
        source = new_source(study, preset, fields.pop("name", preset))
        for name, value in fields.items():
            setattr(source, name, value)
        source.full_clean()
        source.save()
        return source

    return make


def come(client: Client, source: Source, query: str = ""):
    return client.get(f"/studies/study/from/{source.name}/{query}")


def join(client: Client, source: Source, query: str, **more):
    """Come by the link and agree, where that is asked for; the last answer."""
    first = come(client, source, query)
    asked = first.status_code == 302 and first["Location"].startswith("/studies/")
    return client.post(first["Location"], AGREED | more) if asked else first


def judge_all(client: Client, link: str) -> str:
    """Answer whatever comes; the page of the end."""
    page = client.get(link, follow=True)
    while "ticket" in (page.context or {}):
        fields = {"ticket": page.context["ticket"], "key": page.context["key"], "answer": "4"}
        assert "completion code" not in page.content.decode()
        page = client.post(link, fields, follow=True)
    return page.content.decode()


def test_an_id_leads_at_once_to_an_address_that_does_not_tell_it(client, make_source, caplog):
    caplog.set_level(logging.DEBUG)
    source = make_source()
    response = come(client, source, "?id=PERSON-4711")
    assert (response.status_code, response["Location"]) == (302, "/studies/study/from/panel/")
    page = client.get(response["Location"])
    assert "Your consent" in page.content.decode()
    assert not Enrolment.objects.exists()
    link = client.post(response["Location"], AGREED)["Location"]
    enrolment = Enrolment.objects.get()
    assert link == f"/rate/{enrolment.token}/"
    assert (enrolment.source, enrolment.arrived_by, enrolment.place) == ("parameters", source, 1)
    assert identities.reveal(enrolment, "person") == "PERSON-4711"
    assert "PERSON-4711" not in caplog.text
    assert all("PERSON-4711" not in str(value) for value in vars(enrolment).values())


def test_what_a_session_keeps_of_an_arrival_cannot_be_read(client, make_source):
    come(client, make_source(), "?id=PERSON-4711")
    assert "PERSON-4711" not in str(dict(client.session))


def test_the_same_id_is_the_same_rater_on_any_device(make_source):
    source = make_source()
    links = {join(Client(), source, "?id=A")["Location"] for device in range(3)}
    assert len(links) == 1
    # Later visits need no consent again, and neither case nor order of the parameters matters.
    assert come(Client(), source, "?x=1&ID=A")["Location"] in links
    assert join(Client(), source, "?id=B")["Location"] not in links
    assert Rater.objects.count() == Enrolment.objects.count() == 2


def test_one_browser_may_bring_several_people(client, make_source):
    source = make_source()
    first = join(client, source, "?id=A")["Location"]
    assert join(client, source, "?id=B")["Location"] != first
    assert Rater.objects.count() == 2


def test_one_id_of_two_panels_is_two_people(make_source):
    one, other = make_source(), make_source("sona")
    join(Client(), one, "?id=7")
    join(Client(), other, "?survey_code=7")
    assert Enrolment.objects.values("external_hash").distinct().count() == 2


def invited(source: Source) -> str:
    """Somebody comes by the source's only invitation; its number."""
    [link] = make_batch(source, number=1, batch="one", expires_at=None)
    join(Client(), source, f"?invitation={link.secret}")
    return str(source.invitations.get().pk)


def test_an_id_written_to_the_api_names_nobody_who_came_by_a_way_in(make_source):
    panel, invitation = make_source(items=9), make_source("invitation")
    join(Client(), panel, "?id=7")
    number = invited(invitation)
    assert Enrolment.objects.count() == 2
    ids = [f"{way}{person}" for person in ("7", number)
           for way in ("", "panel:", "parameters:panel:", "invitation:", "invitation:invitation:")]  # fmt: skip
    for external_id in set(ids):
        body = {"study": "study", "consent": True, "consent_version": "1", "external_id": external_id}
        made = Client().post("/api/v1/enrolments/", body, content_type="application/json")
        # Such a study takes people in by its ways in alone; who is known already would get their token with a 200.
        assert (made.status_code, made.json()["title"]) == (409, "Conflict")


def test_a_panel_called_invitation_leads_nobody_to_who_was_invited(make_source):
    number = invited(make_source("invitation", name="invited", items=9))
    join(Client(), make_source(name="invitation"), f"?id={number}")
    assert Enrolment.objects.count() == 2


def test_the_database_refuses_a_second_account_and_a_place_taken(make_source):
    source = make_source()
    join(Client(), source, "?id=A")
    known = Enrolment.objects.get()
    for again in ({"external_hash": known.external_hash, "place": 2}, {"place": 1}, {"place": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Enrolment.objects.create(rater=Rater.objects.create(), study=source.study, arrived_by=source, **again)


@pytest.mark.parametrize(
    ("preset", "query", "words"),
    [
        ("panel", "", "The link has no “id”"),
        ("panel", "?id=", "The link has no “id”"),
        ("sona", "?survey_code=%25SURVEY_CODE%25", "says “%SURVEY_CODE%” where your id should be"),
        ("mturk", "?workerId=${workerId}", "says “${workerId}” where your id should be"),
        ("mturk", "?workerId=ASSIGNMENT_ID_NOT_AVAILABLE", "where your id should be"),
        ("panel", "?id=a%20b%00c", "does not look like an id"),
        ("panel", "?id=" + "9" * 200, "does not look like an id"),
        ("panel", "?id=<script>alert(1)</script>", "&lt;script&gt;"),
    ],
)
def test_a_link_without_a_good_id_is_told_in_plain_words(client, make_source, preset, query, words):
    response = come(client, make_source(preset), query)
    assert response.status_code == 400
    page = response.content.decode()
    assert words in page
    assert "does not let you in" in page
    assert "<script>alert" not in page
    assert not client.session.get("arrivals")


def test_an_address_without_its_arrival_says_what_is_missing(client, make_source):
    source = make_source()
    page = client.post(f"/studies/study/from/{source.name}/", AGREED)
    assert page.status_code == 400
    assert "allow them for this site" in page.content.decode()
    assert client.get("/studies/study/from/nowhere/").status_code == 404
    assert client.get("/studies/other/from/panel/").status_code == 404
    assert client.put(f"/studies/study/from/{source.name}/").status_code == 405


def test_who_declines_gets_the_code_of_no_consent_and_leaves_nothing(client, make_source):
    source = make_source(
        ends={"no-consent": {"code": "NOTHANKS", "address": "https://panel.example/?c={code}&p={person}"}}
    )
    response = join(client, source, "?id=A", decline="yes")
    page = response.content.decode()
    assert "You do not take part" in page
    assert "NOTHANKS" in page
    assert "https://panel.example/?c=NOTHANKS&amp;p=A" in page
    assert not Rater.objects.exists()


def test_a_screen_that_is_too_narrow_ends_with_its_own_code(client, make_source):
    source = make_source(smallest_width=600, ends={"device": {"code": "NARROW"}})
    page = client.get(come(client, source, "?id=A")["Location"]).content.decode()
    assert "at least 600 points wide" in page
    for said in ({"width": "360"}, {"device": "yes"}):
        assert "NARROW" in client.post("/studies/study/from/panel/", AGREED | said).content.decode()
    assert not Rater.objects.exists()
    assert client.post("/studies/study/from/panel/", AGREED | {"width": "600"}).status_code == 302


def test_the_code_comes_after_the_last_answer_with_the_way_back(client, make_source):
    source = make_source("sona", ends={"complete": {"code": "DONE", "address": SONA}})
    page = judge_all(client, join(client, source, "?survey_code=4711")["Location"])
    assert "<code>DONE</code>" in page
    assert SONA.format(person="4711").replace("&", "&amp;") in page
    assert Enrolment.objects.get().judgements.count() == 2


def test_once_the_id_is_forgotten_the_code_alone_is_shown(client, make_source):
    source = make_source("sona", ends={"complete": {"code": "DONE", "address": SONA}})
    link = join(client, source, "?survey_code=4711")["Location"]
    judge_all(client, link)
    identities.forget(Enrolment.objects.get())
    page = client.get(f"{link}done/").content.decode()
    assert "<code>DONE</code>" in page
    assert "sona-systems" not in page


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"screened_out_at": True}, "OUT"),
        ({"excluded_at": True, "exclusion_reason": "failed", "check_failure": "failed 3 of 3"}, "FAILED"),
        ({"excluded_at": True, "exclusion_reason": "by hand"}, None),
        ({"completed_at": True}, "FULL"),
        ({"left_at": True}, None),
    ],
)
def test_each_outcome_has_a_code_of_its_own(client, make_source, change, code):
    codes = {"complete": "DONE", "screened-out": "OUT", "failed-checks": "FAILED", "full": "FULL", "no-consent": "NO"}
    source = make_source(ends={outcome: {"code": shown} for outcome, shown in codes.items()})
    link = join(client, source, "?id=A")["Location"]
    now = timezone.now()
    Enrolment.objects.update(**{name: now if value is True else value for name, value in change.items()})
    page = client.get(f"{link}done/").content.decode()
    assert [shown for shown in codes.values() if f"<code>{shown}</code>" in page] == ([code] if code else [])
    assert "failed 3 of 3" not in page


def test_whoever_gave_their_part_back_is_handed_nothing_more(client, make_source):
    source = make_source()
    link = join(client, source, "?id=A")["Location"]
    Enrolment.objects.update(left_at=timezone.now())
    assert client.get(link)["Location"] == f"{link}done/"
    assert "You gave your part back" in client.get(f"{link}done/").content.decode()


def test_a_cap_lets_so_many_in_and_ends_kindly_for_the_next(make_source):
    source = make_source("open", cap=2, ends={"full": {"code": "FULL"}})
    assert [join_open(Client()).status_code for _ in range(2)] == [302, 302]
    page = Client().get("/studies/study/from/open/").content.decode()
    assert "The study is full" in page
    assert "FULL" in page
    assert join_open(Client()).status_code == 200
    assert source.enrolments.count() == 2


def join_open(client: Client):
    return client.post("/studies/study/from/open/", AGREED)


def test_a_full_study_says_so_before_anybody_agrees(client, make_source):
    source = make_source(items=1, seats_per_item=1)
    judge_all(client, join(client, source, "?id=A")["Location"])
    assert "The study is full" in client.get(come(client, source, "?id=B")["Location"]).content.decode()
    assert Enrolment.objects.count() == 1


@pytest.mark.parametrize(("state", "words"), [("paused", "is paused"), ("closed", "The study is full")])
def test_a_study_that_is_not_open_takes_nobody_in(client, make_source, state, words):
    source = make_source()
    Study.objects.update(state=state)
    assert words in join(client, source, "?id=A").content.decode()
    assert not Enrolment.objects.exists()


def test_a_closed_way_lets_in_those_who_came_before_alone(client, make_source):
    source = make_source()
    link = join(client, source, "?id=A")["Location"]
    Source.objects.update(closed_at=timezone.now())
    assert come(Client(), source, "?id=A")["Location"] == link
    assert "The study is full" in join(Client(), source, "?id=B").content.decode()


def test_consent_is_needed_and_the_forms_token_too(client, make_source):
    source = make_source()
    address = come(client, source, "?id=A")["Location"]
    assert client.post(address, {}).status_code == 422
    strict = Client(enforce_csrf_checks=True)
    come(strict, source, "?id=A")
    assert strict.post(address, AGREED).status_code == 403
    assert not Enrolment.objects.exists()


def test_the_studys_own_address_leads_to_its_open_way_or_says_that_links_are_needed(client, make_source):
    source = make_source()
    page = client.get("/studies/study/").content.decode()
    assert "by links of their own" in page
    assert "A study" not in client.get("/").content.decode()
    assert client.post("/studies/study/", AGREED).status_code == 200
    open_way = make_source("open")
    assert client.get("/studies/study/")["Location"] == "/studies/study/from/open/"
    assert "A study" in client.get("/").content.decode()
    join_open(client)
    enrolment = Enrolment.objects.get()
    assert enrolment.arrived_by == open_way != source
    assert client.get("/studies/study/from/open/")["Location"] == f"/rate/{enrolment.token}/"


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "prolific"])
def test_every_preset_is_a_whole_source_with_an_address_to_hand_out(make_source, preset):
    address = arrival_address(make_source(preset), "https://attest.example")
    assert address.startswith(f"https://attest.example/studies/study/from/{preset}/")
    wanted = {
        "sona": "?survey_code=%SURVEY_CODE%",
        "mturk": "?workerId=${workerId}&assignmentId=${assignmentId}&hitId=${hitId}",
        "panel": "?id=ID",
    }
    assert address.endswith(wanted.get(preset, "/"))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("ends", {"won": {}}, "Ends are named by outcome"),
        ("ends", {"complete": {"code": "a b"}}, "is no code"),
        ("ends", {"complete": {"address": "http://x"}}, "begins with https://"),
        ("ends", {"complete": {"address": "javascript:alert(1)"}}, "begins with https://"),
        ("ends", {"complete": {"address": "https://x/{secret}"}}, "may name only"),
        ("ends", {"complete": {"address": "https://x/{code.__class__}"}}, "may name only"),
        ("ends", {"complete": {"address": "https://x/{"}}, "may name only"),
        ("parameters", {}, "Name the parameter"),
        ("parameters", {"person": "a b"}, "is not the name of a parameter"),
    ],
)
def test_a_source_that_could_not_work_is_refused(make_source, field, value, words):
    with pytest.raises(ValidationError, match=words):
        make_source(**{field: value})


def test_pausing_keeps_the_code_of_those_who_finished(client, make_source):
    source = make_source(ends={"complete": {"code": "DONE"}})
    link = join(client, source, "?id=A")["Location"]
    judge_all(client, link)
    assignment.close_study(source.study)
    assert "<code>DONE</code>" in client.get(f"{link}done/").content.decode()
