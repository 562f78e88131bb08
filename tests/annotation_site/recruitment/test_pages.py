"""The Recruitment pages and commands of a study: for those who run it, by forms alone."""

from __future__ import annotations

import csv
import io
import json
import re
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone

from annotation_site.raters.models import Enrolment, Invitation, Source
from annotation_site.recruitment.models import Action, ProlificStudy, Submission
from annotation_site.studies.members import Member
from annotation_site.studies.models import Study

pytestmark = pytest.mark.django_db
PAGE = "/reports/study/recruitment/"


@pytest.fixture
def study(db, request, make_study) -> Study:
    """The one that recruits at Prolific, where the test asks for that."""
    if "participant" in request.fixturenames:
        request.getfixturevalue("at_prolific")
    return Study.objects.first() or make_study(items=2)


@pytest.fixture
def researcher(study) -> Client:
    user = User.objects.create_user("researcher")
    Member.objects.create(study=study, user=user)
    client = Client()
    client.force_login(user)
    return client


def text(response) -> str:
    return response.content.decode()


@pytest.mark.parametrize("path", ["", "letters/", "letters/invitations/", "prolific/prolific/"])
def test_those_alone_who_run_the_study_find_it(client, study, path, settings):
    assert client.get(PAGE + path).status_code == 302
    viewer = User.objects.create_user("viewer", is_staff=True)
    Member.objects.create(study=study, user=viewer, role=Member.Role.VIEWER)
    client.force_login(viewer)
    for method in (client.get, client.post):
        assert method(PAGE + path).status_code == 404
    assert not Source.objects.exists()


def test_a_study_without_ways_in_says_what_that_means(researcher):
    page = text(researcher.get(PAGE))
    assert "whoever opens" in page
    assert "/studies/study/" in page


@pytest.mark.parametrize("preset", ["prolific", "invitation", "open", "connect", "sona", "mturk", "panel"])
def test_each_kind_of_way_in_is_added_and_shown(researcher, preset):
    response = researcher.post(PAGE, {"preset": preset, "name": "", "cap": ""})
    assert response["Location"] == f"{PAGE}{preset}/"
    page = text(researcher.get(response["Location"]))
    assert (f"/studies/study/from/{preset}/" in page) is (preset != "invitation")
    assert preset in text(researcher.get(PAGE))
    assert ProlificStudy.objects.exists() is (preset == "prolific")


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"preset": "open", "name": "a b"}, "valid “slug”"),
        ({"preset": "sona", "name": "taken"}, "already exists"),
        ({"preset": "letter"}, "not one of the available"),
        ({"preset": "open", "cap": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_bad_form_says_why_and_adds_nothing(researcher, form, words):
    researcher.post(PAGE, {"preset": "open", "name": "taken"})
    response = researcher.post(PAGE, form)
    assert response.status_code == 422
    assert words in text(response)
    assert Source.objects.count() == 1


def fields(client: Client, path: str) -> dict[str, str]:
    """A page's settings as its form would send them back."""
    form = client.get(path).context["form"]
    values = {field.html_name: field.value() for field in form}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def test_settings_are_saved_and_bad_ones_kept_out(researcher):
    researcher.post(PAGE, {"preset": "sona"})
    path = f"{PAGE}sona/"
    address = "https://school.sona-systems.com/credit?survey_code={person}"
    good = fields(researcher, path) | {"address_complete": address, "code_full": "FULL", "cap": "30"}
    assert researcher.post(path, good).status_code == 302
    source = Source.objects.get()
    assert (source.ends["complete"]["address"], source.ends["full"], source.cap) == (address, {"code": "FULL"}, 30)
    for bad in ({"address_complete": "http://x"}, {"code_full": "a b"}, {"parameter_person": ""}):
        response = researcher.post(path, good | bad)
        assert response.status_code == 422
        assert "There is a problem" in text(response)
    source.refresh_from_db()
    assert source.ends["full"] == {"code": "FULL"}


def test_a_way_in_is_closed_and_opened_again(researcher):
    researcher.post(PAGE, {"preset": "open"})
    researcher.post(f"{PAGE}open/", {"switch": "close"})
    assert Source.objects.get().closed_at is not None
    researcher.post(f"{PAGE}open/", {"switch": "open"})
    assert Source.objects.get().closed_at is None
    assert researcher.get(f"{PAGE}nothing/").status_code == 404


def test_invitations_are_handed_out_once_as_a_table(researcher):
    researcher.post(PAGE, {"preset": "invitation"})
    made = {"number": "3", "batch": "=letters", "days": "30", "form": "csv"}
    response = researcher.post(f"{PAGE}invitation/invitations/", made)
    assert "attachment" in response["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(text(response))))
    assert rows[0] == ["batch", "number", "link"]
    assert [row[:2] for row in rows[1:]] == [["'=letters", "1"], ["'=letters", "2"], ["'=letters", "3"]]
    link = rows[1][2].removeprefix("http://testserver")
    visitor = Client()
    assert visitor.post(visitor.get(link)["Location"], {"consent": "yes"}).status_code == 302
    page = text(researcher.get(f"{PAGE}invitation/"))
    assert rows[2][2] not in page
    researcher.post(f"{PAGE}invitation/invitations/", {"revoke": "=letters"})
    assert "was taken back" in text(Client().get(rows[2][2].removeprefix("http://testserver")))


def test_invitations_on_paper_carry_a_qr_code_each(researcher):
    researcher.post(PAGE, {"preset": "invitation"})
    response = researcher.post(f"{PAGE}invitation/invitations/", {"number": "2", "batch": "posters", "form": "paper"})
    page = text(response)
    assert len(re.findall(r"<svg[^>]*><path d=\"M", page)) == 2
    assert len(set(re.findall(r"http://testserver/i/\w{16}/", page))) == 2
    assert "no-store" in response["Cache-Control"]


def test_a_bad_batch_says_why(researcher):
    researcher.post(PAGE, {"preset": "invitation"})
    response = researcher.post(f"{PAGE}invitation/invitations/", {"number": "0", "batch": "", "form": "csv"})
    assert response.status_code == 422
    assert not Invitation.objects.exists()


def test_the_study_is_made_published_and_paused_at_prolific(researcher, fake):
    researcher.post(PAGE, {"preset": "prolific"})
    path = f"{PAGE}prolific/prolific/"
    page = text(researcher.get(path))
    assert "Write a description first" in page
    filled = fields(researcher, path) | {"description": "Look at <b>pictures</b>.", "reward": "150", "places": "20"}
    assert researcher.post(path, filled).status_code == 302
    page = text(researcher.get(path))
    assert "30.00" in page
    assert "PROLIFIC_PID={{%PROLIFIC_PID%}}" in page.replace("&#x27;", "'")
    for step, status in [("create", "UNPUBLISHED"), ("publish", "ACTIVE"), ("pause", "PAUSED"), ("start", "ACTIVE")]:
        response = researcher.post(path, {"step": step}, follow=True)
        assert fake.studies["STUDY1"]["status"] == status
        assert status in text(response)
    # Created once, whatever is pressed again; and what is at Prolific is no longer edited here.
    researcher.post(path, {"step": "create"})
    researcher.post(path, filled | {"reward": "1"})
    assert len(fake.studies) == 1
    assert ProlificStudy.objects.get().reward == 150
    assert fake.studies["STUDY1"]["description"] == "Look at <b>pictures</b>."
    # Prolific was told the codes, so they stay.
    told = Source.objects.get().ends
    settings = fields(researcher, f"{PAGE}prolific/") | {"code_complete": "ANOTHER", "cap": "5"}
    assert researcher.post(f"{PAGE}prolific/", settings).status_code == 302
    assert (Source.objects.get().ends, Source.objects.get().cap) == (told, 5)


def test_a_problem_at_prolific_is_said_on_the_page(researcher, fake, settings):
    researcher.post(PAGE, {"preset": "prolific"})
    path = f"{PAGE}prolific/prolific/"
    assert "missing: description" in text(researcher.post(path, {"step": "create"}, follow=True))
    assert "create the draft first" in text(researcher.post(path, {"step": "publish"}, follow=True))
    assert researcher.post(path, {"step": "explode"}, follow=True).status_code == 200
    settings.PROLIFIC_TOKEN = ""
    assert "no PROLIFIC_TOKEN" in text(researcher.post(path, {"step": "create"}, follow=True))
    bad = researcher.post(path, fields(researcher, path) | {"places": "0", "currency": "pounds"})
    assert bad.status_code == 422
    assert researcher.get(f"{PAGE}open/prolific/").status_code == 404


def test_submissions_are_read_and_counted(researcher, fake, participant):
    participant("1")
    participant("2", status="ACTIVE")
    page = text(researcher.post(f"{PAGE}prolific/prolific/", {"step": "sync"}, follow=True))
    assert "2 submissions were read" in page
    assert "<b>1</b> awaiting review" in page
    Action.objects.create(
        submission=Submission.objects.first(), kind="bonus", key="k", amount=5, state="unclear", made_at=timezone.now()
    )
    assert "has no answer from Prolific" in text(researcher.get(f"{PAGE}prolific/prolific/"))


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_commands_do_what_the_pages_do(fake, participant):
    participant()
    assert json.loads(run("prolific_study", "study", "show"))["reward"] == 200
    assert "1 AWAITING REVIEW" in run("prolific_study", "study", "sync")
    assert "PAUSED" in run("prolific_study", "study", "pause")
    assert "Nothing is waiting" in run("prolific_study", "study", "settle")
    with pytest.raises(CommandError, match="start"):
        run("prolific_study", "study", "pause")
    with pytest.raises(CommandError, match="no bonus with the key"):
        run("prolific_study", "study", "send-again", "--key", "x")
    with pytest.raises(CommandError, match="--workspace"):
        run("prolific_study", "study", "subscribe")
    told = run("prolific_study", "study", "subscribe", "--workspace", "W", "--site", "https://attest.example")
    assert "https://attest.example/hooks/prolific/" in told
    assert all(row["confirmed"] for row in fake.subscriptions.values())


def test_commands_name_what_is_wrong(study):
    with pytest.raises(CommandError, match="no way in from Prolific"):
        run("prolific_study", "study", "show")
    with pytest.raises(CommandError, match="There is no study 'nothing'"):
        run("invite", "nothing", "--batch", "x")
    with pytest.raises(CommandError, match="1 to 2000"):
        run("invite", "study", "--batch", "x", "--number", "0")
    with pytest.raises(CommandError, match="--days 0"):
        run("invite", "study", "--batch", "x", "--days", "0")
    rows = run(
        "invite", "study", "--batch", "letters", "--number", "2", "--site", "https://attest.example/"
    ).splitlines()
    assert rows[1].startswith("letters,1,https://attest.example/i/")
    assert "2 links were taken back" in run("invite", "study", "--batch", "letters", "--revoke")
    assert not Enrolment.objects.exists()
