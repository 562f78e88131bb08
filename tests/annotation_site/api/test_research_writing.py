"""/api/v1/research/ : what a researcher's program makes and changes; once, and never unseen."""

from __future__ import annotations

import json
import threading
import uuid

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from annotation_site.api.models import Reply
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.models import Judgement
from annotation_site.rating.simulation import simulate
from annotation_site.stimuli.models import Generation, Recipe
from annotation_site.studies.members import Member
from annotation_site.studies.models import Study
from tests.annotation_site.api.conftest import Program
from tests.annotation_site.api.researchers import Research, researcher
from tests.annotation_site.conftest import sentence

pytestmark = pytest.mark.django_db
WORDS = ("text", "start", "end", "tag", "lemma", "head", "relation")


def new_prompt(number: int = 1) -> dict:
    prompt = sentence(number)
    words = [{name: getattr(word, name) for name in WORDS} for word in prompt.words]
    return {"text": prompt.text, "source_id": prompt.source_id, "words": words}


def new_study(**fields) -> dict:
    stimuli = [{"prompt": new_prompt(number), "word": 2} for number in range(2)]
    return {
        "slug": "new", "title": "New", "kind": "likert", "source": "mine", "recipe": {"model": "tinyworld"},
        "stimuli": stimuli, "seats_per_item": 2, **fields,
    }  # fmt: skip


def test_a_study_of_known_stimuli_is_a_draft_with_queued_images(db):
    program = Research(researcher())
    answer = program.once("studies/", new_study(seed=3))
    assert (answer.status_code, answer.json()["state"], answer.json()["seats_per_item"]) == (201, "draft", 2)
    study = Study.objects.get(slug="new")
    assert [item.word.text for item in study.items.all()] == ["dog", "dog"]
    assert set(Generation.objects.values_list("state", "recipe__model")) == {("queued", "tinyworld")}
    assert study.members.get().user == program.user
    assert program.get("studies/new/progress/").json()["generations"]["queued"] == 2


def test_a_study_may_be_long_and_what_is_longer_than_is_read_is_refused_unread(db):
    program = Research(researcher())
    head = {"Idempotency-Key": str(uuid.uuid4())}
    # As long as a study of thousands of stimuli.
    long = json.dumps(new_study()) + " " * 3_000_000
    sent = {"content_type": "application/json", "headers": head}
    assert program.client.post("/api/v1/research/studies/", long, **sent).status_code == 201
    too_long = {**sent, "CONTENT_LENGTH": str((64 << 20) + 1)}
    answer = program.client.post("/api/v1/research/studies/", "{}", **too_long)
    assert (answer.status_code, answer.json()["detail"]) == (
        413,
        "67108865 bytes were sent, and at most 67108864 are read.",
    )
    assert program.client.post("/api/v1/research/webhooks/", long, **sent).status_code == 413
    # Nobody has to sign in for this one.
    assert Client().post("/api/v1/enrolments/", long, content_type="application/json").status_code == 413


def test_a_request_sent_twice_is_carried_out_once(db):
    program, key = Research(researcher()), uuid.uuid4()
    first, again = (program.once("studies/", new_study(), key) for _ in range(2))
    assert (first.status_code, again.status_code, Study.objects.count()) == (201, 201, 1)
    assert first.json() == again.json()
    other = program.once("studies/", new_study(slug="another"), key)
    assert (other.status_code, Study.objects.count()) == (409, 1)
    # Another account's key is another key.
    assert Research(researcher("eve")).once("studies/", new_study(slug="another"), key).status_code == 201


def test_a_request_that_failed_can_be_tried_again_under_its_key(db):
    program, key = Research(researcher()), uuid.uuid4()
    Study.objects.create(slug="new", title="Taken", kind="likert")
    assert program.once("studies/", new_study(), key).status_code == 409
    Study.objects.all().delete()
    assert program.once("studies/", new_study(), key).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_copies_that_come_at_once_are_one():
    program, key, codes = Research(researcher()), uuid.uuid4(), []

    def send():
        try:
            codes.append(program.once("studies/", new_study(), key).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (codes, Study.objects.count(), Reply.objects.count()) == ([201] * 4, 1, 1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"stimuli": []}, "stimuli"),
        ({"kind": "presence"}, "stimuli"),
        ({"kind": "opinion"}, "kind"),
        ({"slug": "not a slug"}, "slug"),
        ({"recipe": {"model": "/etc"}}, "recipe"),
        ({"recipe": {"model": "var/media"}}, "recipe"),
        ({"recipe": {"model": "tinyworld", "height": 65}}, "recipe"),
        ({"arms": ["blob"]}, "arms"),
        ({"colour": "red"}, "colour"),
        ({"seats_per_item": 0}, "seats_per_item"),
        ({"texts": {"en": {"headline": "?"}}}, "texts"),
        ({"texts": {"en": {"question": "a\x00b"}}}, "texts"),
        ({"adaptive_spread": 1e400}, "adaptive_spread"),
    ],
)
def test_what_cannot_be_a_study_is_refused_by_field(db, change, field):
    program = Research(researcher())
    answer = program.once("studies/", new_study(**change))
    assert (answer.status_code, field in answer.json().get("errors", {"adaptive_spread": 1})) == (400, True)
    assert not Study.objects.exists()


def test_researchers_name_the_sites_models_and_admins_any_hub_id(db):
    Recipe.objects.create(model="lab/known", revision="abc", steps=1, guidance=1, height=8, width=8, dtype="float32")
    program, admin = Research(researcher()), Research(User.objects.create_superuser("root"))
    unknown, pinned = {"recipe": {"model": "lab/new"}}, {"model": "lab/known", "revision": "abc"}
    refused = program.once("studies/", new_study(**unknown))
    assert refused.status_code == 400
    assert "none of this site's models: tinyworld, lab/known@abc" in str(refused.json()["errors"]["recipe"])
    # Other weights under a known name are a model that nobody has tried here.
    for other in ({"model": "lab/known"}, {"model": "lab/known", "revision": "main"}):
        assert program.once("studies/", new_study(recipe=other)).status_code == 400
    assert program.once("studies/", new_study(slug="pinned", recipe=pinned)).status_code == 201
    assert admin.once("studies/", new_study(slug="any", **unknown)).status_code == 201
    assert admin.once("studies/", new_study(slug="path", recipe={"model": "/etc"})).status_code == 400
    # Once it is used, it is known.
    assert program.once("studies/", new_study(slug="after", **unknown)).status_code == 201


def test_words_must_stand_where_they_are_said_to(db):
    body = new_study()
    body["stimuli"][1]["prompt"]["words"][2]["start"] = 5
    answer = Research(researcher()).once("studies/", body)
    assert answer.status_code == 400
    assert "are not 'dog'" in answer.content.decode()
    body = new_study()
    body["stimuli"][0]["word"] = 9
    assert "none has index 9" in Research(researcher()).once("studies/", body).content.decode()


def test_only_those_who_may_make_studies_do(make_study, django_user_model):
    viewer = Research(django_user_model.objects.create(username="vera"))
    assert viewer.once("studies/", new_study()).status_code == 403
    assert not Study.objects.exists()


def test_a_change_needs_the_tag_of_what_it_changes(make_study, research):
    program = research(make_study(opened=False))
    tag = program.get("studies/study/")["ETag"]
    assert program.send("patch", "studies/study/", {"title": "B"}).status_code == 428
    first = program.send("patch", "studies/study/", {"title": "B"}, **{"If-Match": tag})
    assert (first.status_code, first.json()["title"]) == (200, "B")
    late = program.send("patch", "studies/study/", {"title": "C"}, **{"If-Match": tag})
    assert (late.status_code, late["Content-Type"]) == (412, "application/problem+json")
    assert Study.objects.get().title == "B"
    again = program.send("patch", "studies/study/", {"title": "C"}, **{"If-Match": first["ETag"]})
    assert (again.status_code, again["ETag"]) == (200, program.get("studies/study/")["ETag"])


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "br"])
def test_the_tag_of_a_reply_that_a_proxy_compressed_is_the_replys(make_study, research, encoding):
    program = research(make_study(opened=False))
    end = f'-{encoding}"'
    tag = program.get("studies/study/")["ETag"][:-1] + end
    assert program.get("studies/study/", **{"If-None-Match": tag}).status_code == 304
    changed = program.send("patch", "studies/study/", {"title": "B"}, **{"If-Match": tag})
    assert (changed.status_code, changed.json()["title"]) == (200, "B")
    assert program.send("patch", "studies/study/", {"title": "C"}, **{"If-Match": tag}).status_code == 412
    # A name that is no encoding's belongs to the tag.
    other = f'"0000{end}, {changed["ETag"][:-1]}-other"'
    assert program.send("patch", "studies/study/", {"title": "C"}, **{"If-Match": other}).status_code == 412


def test_what_answers_depend_on_is_fixed_once_the_study_is_open(make_study, research):
    program = research(make_study())
    tag = program.get("studies/study/")["ETag"]
    answer = program.send("patch", "studies/study/", {"cap_share": 0.5}, **{"If-Match": tag})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["cap_share"])
    assert program.send("patch", "studies/study/", {"break_every": 9}, **{"If-Match": tag}).status_code == 200
    for body in ({"state": "closed"}, {"slug": "other"}, {"cap": 1}):
        assert program.send("patch", "studies/study/", body, **{"If-Match": "*"}).status_code == 400


def test_a_study_is_opened_paused_and_closed_and_repeats_change_nothing(make_study, research):
    program = research(make_study(opened=False))
    moves = ["open", "open", "pause", "pause", "open", "close", "close"]
    said = [program.post(f"studies/study/{move}/").json()["state"] for move in moves]
    assert said == ["open", "open", "paused", "paused", "open", "closed", "closed"]
    assert [change.state for change in Study.objects.get().changes.all()] == ["open", "paused", "open", "closed"]
    for move in ("open", "pause"):
        answer = program.post(f"studies/study/{move}/")
        assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")


def test_an_item_is_withdrawn(make_study, research):
    study = make_study()
    program = research(study)
    first = program.post("studies/study/items/1/withdraw/").json()
    assert first["withdrawn_at"]
    assert program.post("studies/study/items/1/withdraw/").json() == first
    assert program.post("studies/study/items/99/withdraw/").status_code == 404
    assert study.items.in_use().count() == 3


def test_failed_images_are_queued_again(make_study, research):
    study = make_study(done=False)
    Generation.objects.filter(items__position=0).update(state="failed", error="no memory")
    program = research(study)
    [failed] = program.get("studies/study/generations/?state=failed").json()["results"]
    assert (failed["error"], failed["image"]) == ("no memory", None)
    assert program.post("studies/study/generations/retry/").json() == {"queued": 1, "left": 4}
    assert program.post("studies/study/generations/retry/").json() == {"queued": 0, "left": 4}


def test_a_rater_is_excluded_and_restored(make_study, research):
    study = make_study()
    simulate(study, raters=1, seed=0)
    rater = Rater.objects.get().pseudonym
    program = research(study)
    assert program.post(f"studies/study/enrolments/{rater}/exclude/", {"reason": " "}).status_code == 400
    out = program.post(f"studies/study/enrolments/{rater}/exclude/", {"reason": "twice"}).json()
    assert (out["exclusion_reason"], bool(out["excluded_at"])) == ("twice", True)
    again = program.post(f"studies/study/enrolments/{rater}/exclude/", {"reason": "twice"}).json()
    assert again == out
    assert program.post(f"studies/study/enrolments/{rater}/restore/").json()["excluded_at"] is None
    assert program.post("studies/study/enrolments/R-NOBODY/restore/").status_code == 404


def test_a_program_rates_as_a_simulated_rater_and_counts_for_nobody(make_study, research):
    study = make_study(items=1)
    program, key = research(study), uuid.uuid4()
    first, again = (program.once("studies/study/simulated-raters/", key=key).json() for _ in range(2))
    assert (first, Enrolment.objects.count()) == (again, 1)
    rater = Program(first["token"])
    assert rater.answer(rater.claim()["seat"], "5").status_code == 200
    assert Judgement.objects.counted().of_people().count() == 0
    # The reply is kept encrypted, for it holds a token.
    assert first["token"] not in Reply.objects.get().body


@pytest.mark.parametrize("move", ["open/", "pause/", "close/", "items/0/withdraw/", "generations/retry/"])
def test_reading_scopes_and_viewers_change_nothing(make_study, research, move):
    study = make_study()
    reading = research(study, scopes=("read:studies", "read:reports", "read:judgements"))
    viewer = Research(researcher("vera", study, role=Member.Role.VIEWER))
    stranger = Research(researcher("eve"))
    codes = [who.post(f"studies/study/{move}").status_code for who in (reading, viewer, stranger)]
    assert (codes, Study.objects.get().state) == ([403, 404, 404], "open")
