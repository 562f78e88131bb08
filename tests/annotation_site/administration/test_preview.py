"""The raters' page as it is written in the editor, saved or not: shown by their own templates, and nothing stored."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation_site.studies.members import Member
from annotation_site.studies.models import Study

pytestmark = pytest.mark.django_db
EDITED = {"preview_page": "item", "preview_locale": "en"}


def editor(study: Study) -> str:
    return reverse("admin:studies_study_preview", args=[study.pk])


def written(client, study: Study, **changes: str) -> dict[str, str]:
    """What the editor sends of the study, with changes."""
    form = client.get(reverse("admin:studies_study_change", args=[study.pk])).context["adminform"].form
    shown = {field.name: field.value() for field in form}
    return {name: value for name, value in shown.items() if value is not None and value is not False} | changes


def test_what_is_written_is_shown_and_nothing_is_stored(admin_client, make_study):
    study = make_study(opened=False)
    texts = {
        "question_en": "Is <b>this</b> so?",
        "question_ko": "맞습니까?",
        "anchors_en": "No\nHardly\nHalf\nMostly\nYes",
    }
    sent = written(admin_client, study, first_view="beside", **texts)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        shown = admin_client.post(editor(study), sent | EDITED)
    assert not [query for query in queries if query["sql"].split()[0] in {"INSERT", "UPDATE", "DELETE"}]
    page = shown.content.decode()
    for words in ("Preview: nothing is stored", "Is &lt;b&gt;this&lt;/b&gt; so?", "Hardly", 'data-view="beside"'):
        assert words in page
    assert "data-heartbeat" not in page
    korean = admin_client.post(editor(study), sent | EDITED | {"preview_locale": "ko"}).content.decode()
    assert "맞습니까?" in korean
    assert "this" not in korean
    study.refresh_from_db()
    assert (study.texts, study.first_view) == ({}, "overlay")
    stored = admin_client.get(editor(study)).content.decode()
    assert "How well does the highlighting reflect the word?" in stored


def test_what_has_errors_is_named_and_the_rest_shown(admin_client, make_study):
    study = make_study(opened=False)
    sent = written(admin_client, study, question_en="Is it so?", anchors_en="Two\nlines", practice_pass_mark="101")
    page = admin_client.post(editor(study), sent | EDITED).content.decode()
    assert "Anchors (English)" in page
    assert "Practice pass mark" in page
    assert "Is it so?" in page
    assert "Excellent" in page


def test_instructions_and_studies_without_pictures_have_a_preview_too(admin_client, make_study):
    study = make_study(opened=False, done=False)
    assert "No picture of this study is made yet" in admin_client.get(editor(study)).content.decode()
    sent = written(admin_client, study, instructions_en="Look twice.\n\nThen judge.") | {"preview_page": "instructions"}
    page = admin_client.post(editor(study), sent).content.decode()
    assert "<p>Look twice.</p>" in page
    assert "<p>Then judge.</p>" in page


def test_every_kind_of_study_has_a_preview(admin_client, make_study, make_changes):
    assert "Which of these are in the image?" in admin_client.get(
        editor(make_study(kind="presence", slug="another"))
    ).content.decode()  # fmt: skip
    assert "What changed between the two pictures?" in admin_client.get(editor(make_changes())).content.decode()


def test_it_is_framed_by_this_site_alone_and_no_form_in_it_is_sent(admin_client, make_study):
    study = make_study()
    shown = admin_client.get(editor(study)).headers
    policy = dict(part.strip().partition(" ")[::2] for part in shown["Content-Security-Policy"].split(";"))
    assert (policy["frame-ancestors"], policy["form-action"]) == ("'self'", "'none'")
    assert policy["sandbox"] == "allow-scripts allow-same-origin"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert shown["X-Frame-Options"] == "SAMEORIGIN"
    around = admin_client.get(reverse("admin:studies_study_change", args=[study.pk])).headers
    assert "frame-src 'self'" in around["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in around["Content-Security-Policy"]
    assert "frame-src" not in admin_client.get(reverse("admin:index")).headers["Content-Security-Policy"]


def test_a_studys_people_see_it_and_others_do_not(client, make_study):
    study = make_study(texts={"en": {"question": "Is it so?"}})
    address = reverse("research-preview", args=[study.slug])
    people = {name: User.objects.create(username=name, password="set") for name in ("viewer", "stranger")}
    Member.objects.create(study=study, user=people["viewer"], role="viewer")
    client.force_login(people["viewer"])
    assert "Is it so?" in client.get(address).content.decode()
    assert address in client.get(reverse("research-study", args=[study.slug])).content.decode()
    assert client.post(address).status_code == 405
    assert client.get(editor(study), follow=True).status_code == 403
    client.force_login(people["stranger"])
    assert client.get(address).status_code == 404
