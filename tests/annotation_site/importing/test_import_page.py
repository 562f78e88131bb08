"""The page that takes images and maps made elsewhere."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from annotation_site.studies.importing import views
from annotation_site.studies.members import Member
from annotation_site.studies.models import Item, Study
from tests.annotation_site.importing.test_import import RAMP, likert, npy, picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(client) -> User:
    user = User.objects.create_user("researcher")
    user.user_permissions.add(Permission.objects.get(codename="add_study"))
    client.force_login(user)
    return user


def contents(*rows: dict) -> dict[str, bytes]:
    manifest = "\n".join(json.dumps(row) for row in rows or [likert()])
    return {"manifest.jsonl": manifest.encode(), "dog.png": picture(), "m.npy": npy(RAMP)}


def sent(files: dict[str, bytes], **fields: str) -> dict:
    uploads = [SimpleUploadedFile(name, content) for name, content in files.items()]
    return {"sent": uploads, "slug": "mine", "title": "Mine", "kind": "likert"} | fields


def as_zip(files: dict[str, bytes]) -> dict[str, bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return {"all.zip": buffer.getvalue()}


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_sent_becomes_a_draft_of_the_sender(client, researcher, packed):
    files = as_zip(contents()) if packed else contents()
    answer = client.post("/import/", sent(files), follow=True)
    assert answer.redirect_chain == [(reverse("report", args=["mine"]), 302)]
    assert "1 item imported from 1 line." in answer.content.decode()
    study = Study.objects.get(slug="mine")
    assert (study.title, study.state, study.kind) == ("Mine", "draft", "likert")
    assert Member.objects.get(study=study).user == researcher
    assert Item.objects.get(study=study).map_source == "file"


def test_sent_twice_it_is_there_once(client, researcher):
    client.post("/import/", sent(contents()))
    answer = client.post("/import/", sent(contents()))
    assert answer.status_code == 422
    assert "Nothing was imported" in answer.content.decode()
    assert Item.objects.count() == 1


def test_refused_lines_are_shown_with_their_reasons_and_the_rest_comes_when_asked(client, researcher):
    rows = [likert(), likert(word="cat", occurrence=None)]
    answer = client.post("/import/", sent(contents(*rows)))
    assert answer.status_code == 422
    assert "One line is refused, and nothing was imported" in answer.content.decode()
    assert '<td class="number">2</td>' in answer.content.decode()
    assert not Study.objects.exists()
    answer = client.post("/import/", sent(contents(*rows), skip_refused="on"), follow=True)
    assert "1 line was refused; the first, line 2:" in answer.content.decode()
    assert Item.objects.count() == 1


def test_another_researchers_study_takes_nothing(client, researcher, make_study):
    make_study(slug="theirs", opened=False)
    before = Item.objects.count()
    answer = client.post("/import/", sent(contents(), slug="theirs"))
    assert answer.status_code == 422
    assert "A study that is not yours" in answer.content.decode()
    assert Item.objects.count() == before


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "Choose a .zip"),
        ({"dog.png": b"x"}, "0 of the files end with .jsonl"),
        ({"a.zip": b"PK no zip"}, "the zip cannot be opened"),
        ({"a.jsonl": b"{}", "b.jsonl": b"{}"}, "2 of the files end with .jsonl"),
        ({"a.jsonl": b'{"prompt": "<script>"}'}, "and nothing was imported"),
        ({"a.jsonl": b"\xff\xfe"}, "and nothing was imported"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_stored(client, researcher, files, said):
    answer = client.post("/import/", sent(files))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert "<script>" not in answer.content.decode()
    assert not Study.objects.exists()


def test_too_much_is_refused_before_it_is_read(client, researcher, settings):
    settings.UPLOAD_MEGABYTES = 0
    answer = client.post("/import/", sent(contents()))
    assert answer.status_code == 400
    assert "send fewer, or one zip" in answer.content.decode()
    settings.UPLOAD_MEGABYTES, settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1, 2
    assert client.post("/import/", sent(contents())).status_code == 400
    assert not Study.objects.exists()


def test_more_lines_than_a_request_may_send_are_the_commands(client, researcher, monkeypatch):
    monkeypatch.setattr(views, "ROWS_SENT", 1)
    answer = client.post("/import/", sent(contents(likert(), likert(occurrence=1))))
    assert answer.status_code == 422
    assert not Study.objects.exists()


def test_only_who_may_make_studies_comes_in(client):
    assert client.get("/import/").status_code == 302
    client.force_login(User.objects.create_user("viewer"))
    assert client.get("/import/").status_code == 403
    assert client.post("/import/", sent(contents())).status_code == 403
    assert client.put("/import/").status_code == 405


def test_an_account_uploads_no_more_often_than_it_may(admin_client, settings):
    settings.RATES = {**settings.RATES, "upload": "1/hour"}
    assert [admin_client.post("/import/").status_code for _ in range(2)] == [422, 429]
