"""Our study as Prolific's: what is sent, the draft, and starting and stopping it there."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from annotation_site.raters.models import Outcome, Source
from annotation_site.raters.pages import minutes
from annotation_site.raters.sources.presets import arrival_address
from annotation_site.recruitment.client import JSON, Prolific
from annotation_site.recruitment.errors import Lost, RecruitmentError, Refused
from annotation_site.recruitment.models import ProlificStudy

ANEW_AFTER = timedelta(minutes=2)
CODE_TYPES = {
    Outcome.COMPLETE: "COMPLETED",
    Outcome.FAILED_CHECKS: "FAILED_ATTENTION_CHECK",
    Outcome.NO_CONSENT: "NO_CONSENT",
    Outcome.DEVICE: "INCOMPATIBLE_DEVICE",
    Outcome.SCREENED_OUT: "FIXED_SCREENOUT",
    Outcome.FULL: "OTHER",
}
RETURN_REASONS = {
    Outcome.NO_CONSENT: "You did not consent to taking part.",
    Outcome.DEVICE: "Your device does not fit this study.",
    Outcome.SCREENED_OUT: "The practice showed that this study does not suit you.",
    Outcome.FULL: "The study was full when you came.",
}
#: What each status at Prolific lets one do, with the word of its API.
MOVES: dict[str, dict[str, str]] = {
    "UNPUBLISHED": {"publish": "PUBLISH"},
    "ACTIVE": {"pause": "PAUSE", "stop": "STOP"},
    "PAUSED": {"start": "START", "stop": "STOP"},
    "AWAITING REVIEW": {"start": "START"},
}


def draft_of(source: Source) -> ProlificStudy:
    """The draft to begin with: named after the study, with the time that it is expected to take. Not saved."""
    study = source.study
    expected = minutes(study)
    people = max(study.seats_per_item, math.ceil(1 / study.cap_share))
    return ProlificStudy(
        source=source,
        name=study.title[:120],
        description="",
        reward=max(1, round(expected * 900 / 60)),
        places=source.cap or people,
        minutes=expected,
    )


def payload(study: ProlificStudy, site: str) -> JSON:
    """What is sent to create the draft; the page shows the very same."""
    sent: JSON = {
        "name": study.name,
        "internal_name": f"{study.source.study.slug} {study.source.name} [attest {study.key}]",
        "description": study.description,
        "external_study_url": arrival_address(study.source, site),
        "prolific_id_option": "url_parameters",
        "is_external_study_url_secure": study.source.signed,
        "completion_codes": codes(study),
        "total_available_places": study.places,
        "estimated_completion_time": study.minutes,
        "reward": study.reward,
        "device_compatibility": ["desktop"] if study.devices == study.Devices.DESKTOP else [],
        "filters": [],
        "submissions_config": {"max_submissions_per_participant": 1},
    }
    return sent | ({"project": study.project} if study.project else {})


def codes(study: ProlificStudy) -> list[JSON]:
    """The codes as they are sent."""
    return list(by_outcome(study).values())


def by_outcome(study: ProlificStudy) -> dict[Outcome, JSON]:
    """Each outcome's code with what Prolific does when somebody brings it."""
    ends = study.source.ends
    return {
        outcome: {"code": ends[outcome]["code"], "code_type": _code_type(study, outcome), **_action(study, outcome)}
        for outcome in Outcome
        if ends.get(outcome, {}).get("code")
    }


def _code_type(study: ProlificStudy, outcome: Outcome) -> str:
    unpaid = outcome == Outcome.SCREENED_OUT and not study.screen_out_reward
    return "OTHER" if unpaid else CODE_TYPES[outcome]


def _action(study: ProlificStudy, outcome: Outcome) -> JSON:
    if outcome == Outcome.COMPLETE and study.approve_automatically:
        return _does("AUTOMATICALLY_APPROVE")
    if outcome == Outcome.SCREENED_OUT and study.screen_out_reward:
        paid = {"fixed_screen_out_reward": study.screen_out_reward, "slots": study.screen_out_slots}
        return _does("FIXED_SCREEN_OUT_PAYMENT", actor=study.screen_out_actor, **paid)
    if outcome in RETURN_REASONS:
        return _does("REQUEST_RETURN", return_reason=RETURN_REASONS[outcome])
    return _does("MANUALLY_REVIEW")


def _does(action: str, *, actor: str = "participant", **more: Any) -> JSON:
    return {"actor": actor, "actions": [{"action": action, **more}]}


def create(study: ProlificStudy, api: Prolific, *, site: str, now: datetime) -> ProlificStudy:
    """Make the draft at Prolific, once: what may have been made by an attempt without an answer is looked for first."""
    fresh = Q(claimed_at__isnull=True) | Q(claimed_at__lt=now - ANEW_AFTER)
    begun = study.claimed_at is not None
    mine = ProlificStudy.objects.filter(fresh, pk=study.pk, prolific_id="")
    if not mine.update(claimed_at=now):
        study.refresh_from_db()
        if study.prolific_id:
            return study
        raise RecruitmentError("This draft is being created right now: look again in two minutes.")
    try:
        made = (_made_before(study, api) if begun else None) or api.create_study(payload(study, site))
    except Lost:
        found = _made_before(study, api)
        if found is None:
            raise
        made = found
    except RecruitmentError:
        # Nothing was made, so that the next attempt need not wait.
        ProlificStudy.objects.filter(pk=study.pk).update(claimed_at=study.claimed_at)
        raise
    return _noted(study, made, now, prolific_id=str(made["id"]))


def _made_before(study: ProlificStudy, api: Prolific) -> JSON | None:
    return next((row for row in api.studies() if str(study.key) in str(row.get("internal_name", ""))), None)


def move(study: ProlificStudy, step: str, api: Prolific, *, now: datetime) -> ProlificStudy:
    """publish, pause, start or stop; what Prolific would refuse is refused here, with the status that it has there."""
    if not study.prolific_id:
        raise Refused("The study is not at Prolific yet: create the draft first.")
    look(study, api, now=now)
    action = MOVES.get(study.status, {}).get(step)
    if action is None:
        possible = ", ".join(MOVES.get(study.status, {})) or "nothing"
        raise Refused(f"At Prolific the study is {study.status}: {step} is not possible now, but {possible}.")
    try:
        return _noted(study, api.move_study(study.prolific_id, action), now)
    except Lost:
        before = study.status
        if look(study, api, now=now).status == before:
            raise
        return study


def look(study: ProlificStudy, api: Prolific, *, now: datetime) -> ProlificStudy:
    """Ask Prolific how the study stands."""
    return _noted(study, api.study(study.prolific_id), now)


def _noted(study: ProlificStudy, row: JSON, now: datetime, **fields: Any) -> ProlificStudy:
    fields |= {"status": str(row.get("status", "")).replace("_", " "), "status_at": now}
    for name, value in fields.items():
        setattr(study, name, value)
    study.save(update_fields=list(fields))
    return study
