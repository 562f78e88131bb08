"""People from Prolific: their ids, signed links, and the codes that they take back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from annotation_site.raters import identities
from annotation_site.raters.models import Enrolment, Rater, Source
from annotation_site.raters.sources.presets import arrival_address, new_source
from annotation_site.recruitment.models import ProlificStudy, Submission
from annotation_site.recruitment.tokens import ASKED
from tests.annotation_site.rating.conftest import Walk

pytestmark = pytest.mark.django_db
IDS = {"PROLIFIC_PID": "PID1", "STUDY_ID": "STUDY1", "SESSION_ID": "SUB1"}
SITE = "http://testserver"


def come(client: Client, source: Source, **query: str):
    return client.get(f"/studies/study/from/{source.name}/", query)


def join(client: Client, source: Source, **query: str):
    first = come(client, source, **query)
    asked = first.status_code == 302 and first["Location"].startswith("/studies/")
    return client.post(first["Location"], {"consent": "yes"}) if asked else first


def token(fake, **changes):
    claims = {
        "iss": "https://www.prolific.com",
        "aud": f"{SITE}/studies/study/from/prolific/?PROLIFIC_PID=PID1",
        "sub": "SUB1",
        "exp": timezone.now() + timedelta(minutes=5),
        "prolific": IDS | {"workspace_id": "W"},
    }
    options = {name: changes.pop(name) for name in ("kid", "algorithm", "key") if name in changes}
    return fake.sign(**options, **{name: value for name, value in (claims | changes).items() if value is not None})


def test_a_participant_is_tied_to_their_submission(client, at_prolific, source):
    link = join(client, source, **IDS)["Location"]
    enrolment = Enrolment.objects.get()
    assert link == f"/rate/{enrolment.token}/"
    assert enrolment.source == "prolific"
    submission = Submission.objects.get()
    assert (submission.submission_id, submission.enrolment, submission.status) == ("SUB1", enrolment, "ACTIVE")
    assert identities.reveal(enrolment, "person") == "PID1"
    # No row but the encrypted one tells who they are.
    assert "PID1" not in str([vars(row) for row in (enrolment, submission, enrolment.rater)])


def test_one_participant_of_two_studies_at_prolific_is_one_rater(at_prolific, source):
    other = new_source(source.study, "prolific", "pilot")
    other.save()
    links = {join(Client(), source, **IDS)["Location"], join(Client(), other, **IDS)["Location"]}
    assert len(links) == Rater.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PROLIFIC_PID": "{{%PROLIFIC_PID%}}"}, "where your id should be"),
        ({"PROLIFIC_PID": ""}, "no “PROLIFIC_PID”"),
        ({"SESSION_ID": ""}, "no “SESSION_ID”"),
        ({"SESSION_ID": "{{%SESSION_ID%}}"}, "no “SESSION_ID”"),
        ({"STUDY_ID": "OTHER"}, "another study at Prolific"),
    ],
)
def test_a_link_that_was_set_up_wrong_is_told(client, at_prolific, source, changes, words):
    response = come(client, source, **(IDS | changes))
    assert response.status_code == 400
    assert words in response.content.decode()


def test_the_link_for_prolific_has_prolifics_own_placeholders(source):
    assert arrival_address(source, "https://attest.example") == (
        "https://attest.example/studies/study/from/prolific/?PROLIFIC_PID={{%PROLIFIC_PID%}}"
        "&SESSION_ID={{%SESSION_ID%}}&STUDY_ID={{%STUDY_ID%}}"
    )


def test_the_complete_code_leads_back_to_prolific(client, at_prolific, source):
    join(client, source, **IDS)
    walk = Walk(Enrolment.objects.get())
    code = source.ends["complete"]["code"]
    while walk.at == "":
        assert code not in walk.page.content.decode()
        walk.judge("4")
    assert f"https://app.prolific.com/submissions/complete?cc={code}" in walk.page.content.decode()


def test_no_consent_leads_back_with_its_own_code(client, at_prolific, source):
    first = come(client, source, **IDS)
    page = client.post(first["Location"], {"decline": "yes"}).content.decode()
    assert f"complete?cc={source.ends['no-consent']['code']}" in page
    assert not Submission.objects.exists()


def test_who_is_screened_out_by_us_gets_no_code_to_bring(client, at_prolific, source):
    link = join(client, source, **IDS)["Location"]
    Enrolment.objects.update(screened_out_at=timezone.now())
    code = source.ends["screened-out"]["code"]
    assert code in client.get(f"{link}done/").content.decode()
    ProlificStudy.objects.update(screen_out_reward=50, screen_out_slots=5, screen_out_actor="researcher")
    assert code not in client.get(f"{link}done/").content.decode()


def test_who_gave_the_first_back_may_begin_again(client, at_prolific, source):
    link = join(client, source, **IDS)["Location"]
    Enrolment.objects.update(left_at=timezone.now())
    assert come(Client(), source, **(IDS | {"SESSION_ID": "SUB2"}))["Location"] == link
    assert Enrolment.objects.get().left_at is None
    assert Enrolment.objects.get().submissions.count() == 2


def signed(source: Source) -> Source:
    source.signed = True
    source.save()
    return source


def test_a_signed_link_lets_in_whom_it_names(fake, at_prolific, source):
    signed(source)
    for audience in (f"{SITE}/studies/study/from/prolific/", SITE, "testserver", ["other", "testserver"]):
        given = {"PROLIFIC_PID": "somebody-else", "prolific_token": token(fake, aud=audience)}
        assert join(Client(), source, **given).status_code == 302
    assert identities.reveal(Enrolment.objects.get(), "person") == "PID1"
    # The key was fetched once for all of them.
    assert fake.count("jwks") == 1


def test_an_unsigned_link_is_refused_where_signed_ones_are_asked_for(client, at_prolific, source):
    response = come(client, signed(source), **IDS)
    assert response.status_code == 400
    assert "has not signed this link" in response.content.decode()


FORGED = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exp": timezone.now() - timedelta(minutes=2)}, "has run out"),
        ({"exp": None}, "is not Prolific's"),
        ({"aud": "https://elsewhere.example/"}, "is not Prolific's"),
        ({"aud": None}, "is not Prolific's"),
        ({"prolific": None}, "is not Prolific's"),
        ({"prolific": "PID1"}, "is not Prolific's"),
        ({"key": FORGED}, "is not Prolific's"),
        ({"algorithm": "HS256", "key": "a secret of thirty-two bytes or more"}, "is not Prolific's"),
        ({"algorithm": "none", "key": ""}, "is not Prolific's"),
        ({"kid": "unknown"}, "is not Prolific's"),
    ],
)
def test_a_bad_signature_lets_nobody_in(client, fake, at_prolific, source, changes, words):
    given = IDS | {"prolific_token": token(fake, **changes)}
    response = come(client, signed(source), **given)
    assert response.status_code == 400
    assert words in response.content.decode().replace("&#x27;", "'")
    assert come(client, source, prolific_token="no.such.token").status_code == 400


def test_a_clock_that_is_a_little_wrong_does_not_matter(client, fake, at_prolific, source):
    late = token(fake, exp=timezone.now() - timedelta(seconds=20))
    assert come(client, signed(source), prolific_token=late).status_code == 302


def test_a_new_key_is_fetched_but_not_at_every_unknown_name(client, fake, at_prolific, source, monkeypatch):
    signed(source)
    come(client, source, prolific_token=token(fake))
    fake.kid = "key-2"
    for _attempt in range(3):
        assert come(client, source, prolific_token=token(fake)).status_code == 400
    assert fake.count("jwks") == 1
    cache.delete(ASKED)  # A minute later.
    assert come(client, source, prolific_token=token(fake)).status_code == 302
    assert fake.count("jwks") == 2


def test_without_prolifics_keys_people_are_asked_to_come_back(client, fake, at_prolific, source):
    fake.fail("jwks", "500")
    response = come(client, signed(source), prolific_token=token(fake))
    assert response.status_code == 503
    assert "Try again in a minute" in response.content.decode()
    assert come(client, source, prolific_token=token(fake)).status_code == 302
