"""/api/v1/studies/<slug>/ and /api/v1/enrolments/ : the way in."""

from __future__ import annotations

import pytest

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.raters.sources.presets import new_source
from annotation_site.rating import assignment
from annotation_site.studies.models import Study

pytestmark = pytest.mark.django_db
CONSENT = {"study": "study", "consent": True, "consent_version": "1"}


def test_a_study_tells_what_to_show_before_enrolling(make_study, program):
    make_study(texts={"en": {"question": "Does it fit?", "instructions": "Look.\n\nThen judge."}})
    body = program.get("studies/study/").json()
    assert (body["question"], body["instructions"]) == ("Does it fit?", ["Look.", "Then judge."])
    assert body["consent"]["version"] == "1"
    assert body["consent"]["paragraphs"][0].startswith("Taking part is voluntary")


def test_a_draft_is_nobodys_business(make_study, program):
    make_study(opened=False)
    assert program.get("studies/study/").status_code == 404
    assert program.post("enrolments/", CONSENT).status_code == 404


def test_who_consented_gets_a_token_and_a_link(make_study, program, client):
    make_study()
    response = program.post("enrolments/", CONSENT)
    body, enrolment = response.json(), Enrolment.objects.get()
    assert (response.status_code, response["Cache-Control"]) == (201, "no-store")
    assert body["token"] == enrolment.token
    assert (enrolment.consent_version, enrolment.source, enrolment.external_hash) == ("1", "api", "")
    assert enrolment.consented_at is not None
    assert client.get(body["link"]).status_code == 200


def test_an_external_id_is_one_person_and_is_not_stored(make_study, program):
    make_study()
    first = program.post("enrolments/", CONSENT | {"external_id": "5f0c2c1e7a53"})
    again = program.post("enrolments/", CONSENT | {"external_id": "5f0c2c1e7a53"})
    other = program.post("enrolments/", CONSENT | {"external_id": "another"})
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert first.json()["token"] == again.json()["token"] != other.json()["token"]
    assert Rater.objects.count() == 2
    stored = str(list(Enrolment.objects.values())) + str(list(Rater.objects.values()))
    assert "5f0c2c1e7a53" not in stored


def test_equal_ids_of_two_studies_cannot_be_linked(make_study, program):
    make_study(), make_study(slug="two")
    for slug in ("study", "two"):
        assert program.post("enrolments/", CONSENT | {"study": slug, "external_id": "p1"}).status_code == 201
    assert Enrolment.objects.values("external_hash").distinct().count() == 2


def test_without_an_id_it_is_always_somebody_new(make_study, program):
    make_study()
    assert program.post("enrolments/", CONSENT).json() != program.post("enrolments/", CONSENT).json()
    assert Enrolment.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"consent": False}, 400, "accepted the consent text"),
        ({"consent": None}, 400, "consent"),
        ({"consent_version": "0"}, 409, "has version '1', you named '0'"),
        ({"study": "no-such-study"}, 404, "'no-such-study'"),
        ({"study": "not a slug"}, 400, "study"),
        ({"external_id": "a\x00b"}, 400, "external_id"),
        ({"external_id": "x" * 201}, 400, "external_id"),
    ],
)
def test_what_is_refused_is_named(make_study, program, change, status, says):
    make_study()
    response = program.post("enrolments/", CONSENT | change)
    body = response.json()
    assert (response.status_code, body["status"], response["Content-Type"]) == (
        status, status, "application/problem+json",
    )  # fmt: skip
    assert says in response.content.decode()
    assert not Enrolment.objects.exists()


def test_a_study_with_ways_in_of_its_own_takes_nobody_new_in_here(make_study, program):
    study = make_study()
    known = program.post("enrolments/", CONSENT | {"external_id": "P1"}).json()
    new_source(study, "open", "open").save()
    response = program.post("enrolments/", CONSENT | {"external_id": "P2"})
    assert response.status_code == 409
    assert "by its own links alone" in response.json()["detail"]
    assert program.post("enrolments/", CONSENT | {"external_id": "P1"}).json() == known


@pytest.mark.parametrize("body", ["not json", "[]", '"text"', "null", '{"study": {}}'])
def test_bodies_that_are_no_enrolment(make_study, program, body):
    make_study()
    response = program.client.post("/api/v1/enrolments/", body, content_type="application/json")
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")


def test_only_json_is_read(make_study, program):
    make_study()
    response = program.client.post("/api/v1/enrolments/", CONSENT)
    assert (response.status_code, response["Content-Type"]) == (415, "application/problem+json")


def test_a_closed_study_takes_nobody_new_but_knows_its_own(make_study, program):
    study = make_study()
    token = program.post("enrolments/", CONSENT | {"external_id": "p1"}).json()["token"]
    assignment.close_study(study)
    assert program.post("enrolments/", CONSENT | {"external_id": "p2"}).status_code == 409
    assert program.post("enrolments/", CONSENT | {"external_id": "p1"}).json()["token"] == token


def test_enrolling_is_throttled_by_address(make_study, program, settings):
    settings.RATES = {"enrol": "2/hour", "rater": "2/hour"}
    make_study()
    codes = [program.post("enrolments/", CONSENT).status_code for _ in range(3)]
    assert codes == [201, 201, 429]
    forged = program.post("enrolments/", CONSENT, **{"X-Forwarded-For": "198.51.100.7"})
    assert (forged.status_code, forged["Content-Type"]) == (429, "application/problem+json")
    assert int(forged["Retry-After"]) > 0


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Bearer", "Basic YTpi", "Bearer \u00e9"])
def test_a_token_is_needed(make_study, program, header):
    make_study()
    headers = {} if header is None else {"Authorization": header}
    response = program.post("seats/", **headers)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["seats", "seats/-1/release/", "studies/<b>/", "nothing"])
def test_an_address_that_leads_nowhere_is_a_problem_too(program, path):
    response = program.post(path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert "end with a slash" in response.json()["detail"]


def test_own_progress(make_study, enrolled):
    rater = enrolled(make_study(items=4))
    rater.answer(rater.claim()["seat"], "4")
    body = rater.get("enrolments/mine/").json()
    assert (body["progress"], body["completion_code"]) == ({"done": 1, "total": 4}, None)
    assert body["pseudonym"] == Rater.objects.get().pseudonym


def test_consent_is_to_the_studys_own_text(make_study, program):
    study = make_study()
    study.consent_texts.create(version="7", text="We keep your answers.")
    Study.objects.update(consent_version="7")
    assert program.get("studies/study/").json()["consent"] == {"version": "7", "paragraphs": ["We keep your answers."]}
    assert program.post("enrolments/", CONSENT | {"consent_version": "7"}).status_code == 201
    assert Enrolment.objects.get().consent_text.text == "We keep your answers."
