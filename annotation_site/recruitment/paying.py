"""Approving, rejecting, screening out and paying bonuses at Prolific, none of it twice.

Each is a row with a key of its own before anything is sent, and a conditional UPDATE decides who sends it. A decision
on a submission is the same when sent twice, and Prolific is asked first. A bonus is not: its one paying request is
never repeated, and when its answer is lost, only the bonuses that Prolific lists can say that it was paid.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from annotation_site.raters.models import Enrolment, Outcome
from annotation_site.recruitment.client import JSON, Prolific
from annotation_site.recruitment.errors import Lost, RecruitmentError, Refused
from annotation_site.recruitment.models import Action, Submission
from annotation_site.recruitment.submissions import (
    APPROVED,
    AWAITING,
    PARTIALLY_APPROVED,
    REJECTED,
    SCREENED_OUT,
    take,
)

Kind, State = Action.Kind, Action.State
# An abandoned claim may be taken up after so long; nothing waits that long for an answer.
STALE = timedelta(minutes=5)
# Prolific pays bonuses some minutes after it was told to: until then, one that is not listed may be on its way.
MAY_STILL_COME = timedelta(days=1)
SHORTEST_MESSAGE = 100
CATEGORIES = (
    "TOO_QUICKLY",
    "TOO_SLOWLY",
    "FAILED_INSTRUCTIONS",
    "INCOMP_LONGITUDINAL",
    "FAILED_CHECK",
    "LOW_EFFORT",
    "MALINGERING",
    "NO_CODE",
    "BAD_CODE",
    "NO_DATA",
    "UNSUPP_DEVICE",
    "OTHER",
)
REQUESTS = {Kind.APPROVE: "APPROVE", Kind.REJECT: "REJECT", Kind.SCREEN_OUT: "COMPLETE"}
TARGETS = {Kind.APPROVE: APPROVED, Kind.REJECT: REJECTED, Kind.SCREEN_OUT: SCREENED_OUT}
FINAL = frozenset({APPROVED, PARTIALLY_APPROVED, REJECTED, SCREENED_OUT, "RETURNED"})


def submission_of(enrolment: Enrolment) -> Submission:
    """The rater's last submission. Raises Refused for those who came without one."""
    found = enrolment.submissions.select_related("prolific_study__source").newest()
    if found is None:
        raise Refused(f"{enrolment.rater.pseudonym} has no submission at Prolific: synchronise, then look again.")
    return found


def look(submission: Submission, api: Prolific, *, now: datetime) -> Submission:
    """The submission as it stands at Prolific now, which is stored."""
    return _stored(submission, api.submission(submission.submission_id), now)


def reject(enrolment: Enrolment, *, message: str, category: str, key: str, api: Prolific, now: datetime) -> Action:
    """Refuse the reward, with a reason that the participant reads; Prolific's rules hold."""
    check_rejection(message, category)
    fields = {"message": message.strip(), "category": category}
    return perform(written(submission_of(enrolment), Kind.REJECT, key, now, **fields), api, now=now)


def check_rejection(message: str, category: str) -> None:
    """Prolific's rules: one of its categories, and words that explain it. Raises Refused."""
    if category not in CATEGORIES:
        raise Refused(f"{category!r} is none of Prolific's categories: {', '.join(CATEGORIES)}.")
    if len(message.strip()) < SHORTEST_MESSAGE:
        raise Refused(
            f"The reason has {len(message.strip())} characters: Prolific asks for at least {SHORTEST_MESSAGE}, "
            "which tell the participant what was wrong."
        )


def written(submission: Submission, kind: str, key: str, now: datetime, **fields: Any) -> Action:
    """The row of this key, written before anything is sent; asked for again it is the one that is there.

    ``amount`` is what it pays, in cents: the reward of an approval or of a screen-out, or the bonus.
    """
    same = {"submission": submission, "kind": kind, **fields}
    try:
        with transaction.atomic():
            row, new = Action.objects.get_or_create(key=key, defaults={**same, "made_at": now})
    except IntegrityError as error:
        raise Refused("This submission was decided already; what was decided first stands.") from error
    if not new and (row.submission_id, row.kind, row.amount) != (submission.pk, kind, fields.get("amount", 0)):
        raise Refused(f"The key {key} was used for something else: {row}.")
    return row


def perform(action: Action, api: Prolific, *, now: datetime) -> Action:
    """Do what is still to be done; the row says what became of it. Done twice, or by two at once, it happens once.

    After a refusal nothing has happened there, so that it may be asked for anew: whoever calls wants it tried again.
    """
    if action.state == State.DONE:
        return action
    return _bonus(action, api, now) if action.kind == Kind.BONUS else _decide(action, api, now)


def _claim(action: Action, now: datetime, *states: str) -> bool:
    """Take it for sending, from one of these states or from a claim that was left; the row count decides."""
    left = Q(state=State.SENDING, sent_at__lt=now - STALE)
    mine = Action.objects.filter(Q(state__in=states) | left, pk=action.pk)
    try:
        with transaction.atomic():
            taken = bool(mine.update(state=State.SENDING, sent_at=now))
    except IntegrityError:
        # Another bonus of this submission is on its way, and they could not be told apart; or it was decided otherwise.
        return False
    action.refresh_from_db()
    return taken


def _decide(action: Action, api: Prolific, now: datetime) -> Action:
    if not _claim(action, now, State.WAITING, State.UNCLEAR, State.REFUSED):
        return action
    try:
        current = look(action.submission, api, now=now).status
        if _settled(action, current, now):
            return action
        if action.kind == Kind.REJECT and current != AWAITING:
            return action.note(
                State.REFUSED, problem=f"Only a submission that awaits review is rejected; it is {current}."
            )
        answer = api.move_submission(action.submission.submission_id, **_request(action))
        moved = _stored(action.submission, answer, now).status
        if not _settled(action, moved, now):
            # Prolific works on it ("PROCESSING"); the next look tells.
            action.note(State.UNCLEAR, problem=f"Prolific says {moved or 'nothing'} so far.")
    except Refused as refusal:
        action.note(State.REFUSED, problem=str(refusal))
    except Lost as lost:
        action.note(State.UNCLEAR, problem=str(lost))
    except RecruitmentError as error:
        action.note(State.WAITING, problem=str(error))
    return action


def _stored(submission: Submission, row: JSON, now: datetime) -> Submission:
    """The submission by Prolific's answer, which is stored."""
    return take(submission.prolific_study, row | {"id": submission.submission_id}, now=now)


def _settled(action: Action, status: str, now: datetime) -> bool:
    """Whether the submission stands where nothing more is to be sent."""
    if status == TARGETS[Kind(action.kind)]:
        action.note(State.DONE, done_at=now, problem="")
    elif status in FINAL and not (action.kind == Kind.APPROVE and status == REJECTED):
        action.note(State.REFUSED, problem=f"At Prolific the submission is {status}, which stays.")
    else:
        return False
    return True


def _request(action: Action) -> dict[str, str]:
    request = {"action": REQUESTS[Kind(action.kind)]}
    if action.kind == Kind.REJECT:
        request |= {"message": action.message, "rejection_category": action.category}
    if action.kind == Kind.SCREEN_OUT:
        request["completion_code"] = action.submission.prolific_study.source.ends[Outcome.SCREENED_OUT]["code"]
    return request


def _bonus(action: Action, api: Prolific, now: datetime) -> Action:
    if action.state in (State.PAYING, State.UNCLEAR):
        return settle(action, api, now=now)
    if not _claim(action, now, State.WAITING, State.REFUSED):
        return action
    try:
        action.note(State.SENDING, bonuses_before=_before(action, api))
        study = action.submission.prolific_study.prolific_id
        bulk = api.set_up_bonus(study, action.submission.submission_id, action.amount)
    except Refused as refusal:
        return action.note(State.REFUSED, problem=str(refusal))
    except RecruitmentError as error:
        # Nothing is paid by preparing.
        return action.note(State.WAITING, problem=str(error))
    claimed = action.sent_at
    mine = action.note(State.PAYING, bulk_id=bulk)
    if (mine.state, mine.sent_at, mine.bulk_id) != (State.PAYING, claimed, bulk):
        # We were so slow that somebody else has taken it up: it is theirs to pay.
        return mine
    return _pay(mine, api, now)


def _pay(action: Action, api: Prolific, now: datetime) -> Action:
    """The one request that pays; that it is about to be sent is stored by now."""
    try:
        api.pay_bonus(action.bulk_id)
    except Lost as lost:
        return action.note(State.UNCLEAR, problem=str(lost))
    except RecruitmentError as error:
        # Refused or not let in: nothing was paid, and with money on the account it can be tried again.
        return action.note(State.WAITING, problem=str(error))
    return action.note(State.DONE, done_at=now, problem="")


def _bonuses(action: Action, api: Prolific) -> list[int]:
    """What Prolific lists as paid beside the reward, in cents."""
    return [round(amount) for amount in api.submission(action.submission.submission_id).get("bonus_payments") or []]


def _before(action: Action, api: Prolific) -> list[int]:
    """What was paid before this bonus: what Prolific lists, and what we know to be paid though it is not listed yet."""
    done = Action.objects.filter(submission=action.submission_id, kind=Kind.BONUS, state=State.DONE)
    known = Counter(_bonuses(action, api)) | Counter(done.values_list("amount", flat=True))
    return sorted(known.elements())


def settle(action: Action, api: Prolific, *, now: datetime) -> Action:
    """Ask Prolific whether a bonus without an answer was paid; it is never sent again here."""
    if action.state == State.PAYING and action.sent_at and action.sent_at > now - STALE:
        return action
    try:
        more = Counter(_bonuses(action, api)) - Counter(action.bonuses_before or [])
    except RecruitmentError as error:
        return action.note(State.UNCLEAR, problem=str(error))
    if more[action.amount]:
        return action.note(State.DONE, done_at=now, problem="")
    return action.note(State.UNCLEAR, problem="Prolific does not list this bonus yet; it may still be on its way.")


def send_again(action: Action, api: Prolific, *, now: datetime) -> Action:
    """A person's decision to pay a bonus that Prolific, asked a day later, still does not list."""
    if action.kind != Kind.BONUS or action.state != State.UNCLEAR:
        raise Refused(f"Only an unclear bonus can be sent again; this is: {action}.")
    if settle(action, api, now=now).state == State.DONE:
        return action
    if action.sent_at is None or action.sent_at > now - MAY_STILL_COME:
        raise Refused("It was sent less than a day ago and may still be on its way: ask again after that.")
    taken = Action.objects.filter(pk=action.pk, state=State.UNCLEAR).update(state=State.WAITING, bulk_id="")
    action.refresh_from_db()
    return perform(action, api, now=now) if taken else action
