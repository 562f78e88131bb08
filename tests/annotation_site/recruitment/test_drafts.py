"""Our study as a draft at Prolific: what is sent, made once, published and paused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotation_site.recruitment import drafts
from annotation_site.recruitment.errors import Lost, RecruitmentError, Refused
from annotation_site.recruitment.models import ProlificStudy

pytestmark = pytest.mark.django_db
SITE = "https://attest.example"


@pytest.fixture
def draft(source) -> ProlificStudy:
    made = drafts.draft_of(source)
    made.description, made.reward, made.places, made.minutes = "Look at pictures.", 150, 20, 10
    made.full_clean()
    made.save()
    return made


def create(draft, api, now=None):
    return drafts.create(draft, api, site=SITE, now=now or timezone.now())


def test_what_is_sent_is_the_whole_study(fake, api, draft):
    create(draft, api)
    sent = fake.studies["STUDY1"]
    assert sent["name"] == "A study"
    begins = "/studies/study/from/prolific/?PROLIFIC_PID={{%PROLIFIC_PID%}}"
    assert sent["external_study_url"].startswith(SITE + begins)
    assert (sent["reward"], sent["total_available_places"], sent["estimated_completion_time"]) == (150, 20, 10)
    assert sent["prolific_id_option"] == "url_parameters"
    ends = draft.source.ends
    actions = {code["code"]: (code["code_type"], code["actions"][0]["action"]) for code in sent["completion_codes"]}
    assert actions == {
        ends["complete"]["code"]: ("COMPLETED", "MANUALLY_REVIEW"),
        ends["failed-checks"]["code"]: ("FAILED_ATTENTION_CHECK", "MANUALLY_REVIEW"),
        ends["no-consent"]["code"]: ("NO_CONSENT", "REQUEST_RETURN"),
        ends["device"]["code"]: ("INCOMPATIBLE_DEVICE", "REQUEST_RETURN"),
        ends["screened-out"]["code"]: ("OTHER", "REQUEST_RETURN"),
        ends["full"]["code"]: ("OTHER", "REQUEST_RETURN"),
    }
    draft.refresh_from_db()
    assert (draft.prolific_id, draft.status) == ("STUDY1", "UNPUBLISHED")


def test_a_screen_out_with_a_reward_and_approval_at_once(draft):
    draft.screen_out_reward, draft.screen_out_slots, draft.approve_automatically = 50, 8, True
    codes = {code["code_type"]: code for code in drafts.codes(draft)}
    assert codes["COMPLETED"]["actions"] == [{"action": "AUTOMATICALLY_APPROVE"}]
    paid = {"action": "FIXED_SCREEN_OUT_PAYMENT", "fixed_screen_out_reward": 50, "slots": 8}
    assert codes["FIXED_SCREENOUT"] == {
        "code": draft.source.ends["screened-out"]["code"],
        "code_type": "FIXED_SCREENOUT",
        "actor": "participant",
        "actions": [paid],
    }


@pytest.mark.parametrize(
    "wrong",
    [{"screen_out_reward": 50}, {"screen_out_reward": 150, "screen_out_slots": 5}, {"places": 0}, {"minutes": 0}],
)
def test_what_prolific_would_refuse_is_refused_here(draft, wrong):
    for name, value in wrong.items():
        setattr(draft, name, value)
    with pytest.raises(ValidationError):
        draft.full_clean()


@pytest.mark.parametrize("how", ["lost", "500 after"])
def test_a_draft_whose_answer_is_lost_is_found_again(fake, api, draft, how):
    fake.fail("POST .*/studies/", how)
    assert create(draft, api).prolific_id == "STUDY1"
    assert len(fake.studies) == 1


def test_a_draft_that_was_never_made_is_made_by_the_next_attempt(fake, api, draft):
    now = timezone.now()
    fake.fail("POST .*/studies/", "500")
    with pytest.raises(Lost):
        create(draft, api, now)
    with pytest.raises(RecruitmentError, match="right now"):
        create(draft, api, now + timedelta(seconds=5))
    draft.refresh_from_db()
    assert create(draft, api, now + timedelta(minutes=3)).prolific_id == "STUDY1"
    assert len(fake.studies) == 1


def test_created_twice_it_is_one(fake, api, draft):
    stale = ProlificStudy.objects.get(pk=draft.pk)
    create(draft, api)
    assert create(stale, api).prolific_id == "STUDY1"
    assert len(fake.studies) == 1


def test_a_refused_draft_can_be_mended_at_once(fake, api, draft):
    draft.description = ""
    draft.save()
    with pytest.raises(Refused, match="description"):
        create(draft, api)
    draft.description = "Look at pictures."
    draft.save()
    assert create(draft, api).prolific_id == "STUDY1"


def test_published_paused_and_started_as_prolific_allows(fake, api, draft):
    now = timezone.now()
    with pytest.raises(Refused, match="create the draft first"):
        drafts.move(draft, "publish", api, now=now)
    create(draft, api)
    for step, status in [("publish", "ACTIVE"), ("pause", "PAUSED"), ("start", "ACTIVE"), ("stop", "AWAITING REVIEW")]:
        assert drafts.move(draft, step, api, now=now).status == fake.studies["STUDY1"]["status"] == status
    with pytest.raises(Refused, match="publish is not possible now, but start"):
        drafts.move(draft, "publish", api, now=now)


def test_a_publication_whose_answer_is_lost_is_asked_for(fake, api, draft):
    create(draft, api)
    fake.fail("POST .*/transition/", "lost")
    assert drafts.move(draft, "publish", api, now=timezone.now()).status == "ACTIVE"
    fake.fail("POST .*/transition/", "500")
    with pytest.raises(Lost):
        drafts.move(draft, "pause", api, now=timezone.now())
    assert fake.studies["STUDY1"]["status"] == "ACTIVE"
