"""Prolific as a payer of approved amounts: the fixed reward by approving, the rest as a bonus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from annotation_site.payments.money import spoken
from annotation_site.payments.payers import Line, Outcome, PaymentError, PaymentRefused, State
from annotation_site.raters import identities
from annotation_site.raters.models import Enrolment
from annotation_site.rating.assignment import database_now
from annotation_site.recruitment import paying
from annotation_site.recruitment.client import Prolific, connect
from annotation_site.recruitment.errors import RecruitmentError, Refused
from annotation_site.recruitment.models import Action, Submission
from annotation_site.recruitment.submissions import RETURNED, SCREENED_OUT


class ProlificPayer:
    """Pays and rejects raters who came from Prolific. ``api`` gives the connection for one call."""

    def __init__(self, api: Callable[[], Prolific] = connect) -> None:
        self._connect = api

    def pay(self, lines: Sequence[Line]) -> Iterable[Outcome]:
        """Approve, and pay as a bonus what is above the reward; asked again it goes on where it stopped."""
        with self._api() as api:
            yield from (self._paid(line, api) for line in lines)

    def check_rejection(self, enrolment: Enrolment, reason: str) -> None:
        """By Prolific's rules of what a reason is; how the submission stands there is asked when it is told."""
        try:
            paying.check_rejection(reason, _category(enrolment))
        except Refused as refusal:
            raise PaymentRefused(str(refusal)) from refusal

    def reject(self, enrolment: Enrolment, reason: str, *, key: str) -> None:
        """Reject with this reason, under the category that the checks suggest."""
        why, now = {"message": reason, "category": _category(enrolment)}, database_now()
        with self._api() as api:
            try:
                done = paying.reject(enrolment, **why, key=f"{key} reject", api=api, now=now)
            except Refused as refusal:
                raise PaymentRefused(str(refusal)) from refusal
            except RecruitmentError as error:
                raise PaymentError(str(error)) from error
        if done.state == Action.State.REFUSED:
            raise PaymentRefused(done.problem)
        if done.state != Action.State.DONE:
            raise PaymentError(done.problem or "Prolific has not confirmed the rejection yet.")

    def _api(self) -> Prolific:
        try:
            return self._connect()
        except RecruitmentError as error:
            raise PaymentError(str(error)) from error

    def _paid(self, line: Line, api: Prolific) -> Outcome:
        try:
            *paid, last = _steps(line, api, database_now())
        except Refused as refusal:
            return Outcome(line.key, State.REFUSED, problem=str(refusal))
        except RecruitmentError as error:
            return Outcome(line.key, State.LATER, problem=str(error))
        if last.state != Action.State.DONE:
            refused = last.state == Action.State.REFUSED
            return _open(line, State.REFUSED if refused else State.LATER, paid, last.problem)
        # Whatever is paid later goes to the submission: nobody needs the participant's id any more.
        identities.forget(line.enrolment)
        return Outcome(line.key, State.PAID, reference=_reference(last))


def _open(line: Line, state: State, paid: list[Action], problem: str) -> Outcome:
    """Not paid, or not all of it; what was paid is said."""
    part = sum(step.amount for step in paid)
    if not part:
        return Outcome(line.key, state, problem=problem)
    problem = f"{spoken(part, line.currency)} of it are paid. {problem}"
    part = part if state == State.REFUSED else 0
    return Outcome(line.key, state, reference=_reference(paid[-1]), problem=problem, part=part)


def _steps(line: Line, api: Prolific, now: datetime) -> Iterator[Action]:
    """The reward, unless it was paid before, then what is above it; the second waits for the first.

    The first is written with its amount before it is sent, and so fixes the split: whatever becomes of the submission
    before the line is asked for again, no part of it is paid in the other's way as well.
    """
    begun = Action.objects.filter(key__in=[f"{line.key} reward", f"{line.key} bonus"]).order_by("id").first()
    first = paying.perform(begun or _begin(line, api, now), api, now=now)
    yield first
    rest = line.amount - first.amount
    if rest and first.state == Action.State.DONE:
        bonus = paying.written(first.submission, Action.Kind.BONUS, f"{line.key} bonus", now, amount=rest)
        yield paying.perform(bonus, api, now=now)


def _begin(line: Line, api: Prolific, now: datetime) -> Action:
    """The first step, by how the submission stands at Prolific now."""
    submission = paying.look(paying.submission_of(line.enrolment), api, now=now)
    if paying.submission_of(line.enrolment) != submission:
        raise RecruitmentError("Prolific says that the rater has begun another submission later: it is looked at next.")
    study = submission.prolific_study
    if line.currency != study.currency:
        raise Refused(f"Approved in {line.currency}, but the study at Prolific pays in {study.currency}.")
    reward = _reward(submission)
    if not reward:
        return paying.written(submission, Action.Kind.BONUS, f"{line.key} bonus", now, amount=line.amount)
    if line.amount < reward:
        raise Refused(
            f"Prolific pays {reward} for an approved submission, more than the {line.amount} that were approved: "
            "take this back, give a bonus of the difference, and approve at least the reward."
        )
    kind = Action.Kind.SCREEN_OUT if _is_screen_out(submission) else Action.Kind.APPROVE
    return paying.written(submission, kind, f"{line.key} reward", now, amount=reward)


def _reward(submission: Submission) -> int:
    """What the first decision still pays: nothing once it has, or where the submission was given back for good.

    One that ran out of time is approved: whoever brings the code later would be paid the reward beside a bonus.
    """
    decided = submission.actions.exclude(kind=Action.Kind.BONUS).exclude(state=Action.State.REFUSED)
    rewarded = decided.exclude(kind=Action.Kind.REJECT).first()
    if rewarded is not None and rewarded.state != Action.State.DONE:
        raise RecruitmentError(f"An earlier payment is still on its way. {rewarded.problem}".strip())
    if rewarded is not None or submission.status == RETURNED:
        return 0
    study = submission.prolific_study
    return study.screen_out_reward if _is_screen_out(submission) else study.reward


def _category(enrolment: Enrolment) -> str:
    return "FAILED_CHECK" if enrolment.check_failure else "LOW_EFFORT"


def _is_screen_out(submission: Submission) -> bool:
    enrolment = submission.enrolment
    screened = enrolment is not None and enrolment.screened_out_at is not None
    return bool(submission.prolific_study.screen_out_reward) and (screened or submission.status == SCREENED_OUT)


def _reference(step: Action) -> str:
    """Prolific's own names for what was done."""
    return f"Prolific submission {step.submission.submission_id}" + (f", bonus {step.bulk_id}" if step.bulk_id else "")
