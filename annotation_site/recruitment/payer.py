"""Prolific as a payer of approved amounts: the fixed reward by approving, the rest as a bonus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from annotation_site.payments.payers import Line, Outcome, PaymentError, PaymentRefused, State
from annotation_site.raters import identities
from annotation_site.raters.models import Enrolment
from annotation_site.rating.assignment import database_now
from annotation_site.recruitment import paying
from annotation_site.recruitment.client import Prolific, connect
from annotation_site.recruitment.errors import RecruitmentError, Refused
from annotation_site.recruitment.models import Action, Submission
from annotation_site.recruitment.submissions import SCREENED_OUT


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
            steps = list(self._steps(line, api))
        except Refused as refusal:
            return Outcome(line.key, State.REFUSED, problem=str(refusal))
        except RecruitmentError as error:
            return Outcome(line.key, State.LATER, problem=str(error))
        for step in steps:
            if step.state != Action.State.DONE:
                refused = step.state == Action.State.REFUSED
                return Outcome(line.key, State.REFUSED if refused else State.LATER, problem=step.problem)
        # Whatever is paid later goes to the submission: nobody needs the participant's id any more.
        identities.forget(line.enrolment)
        return Outcome(line.key, State.PAID, reference=_reference(steps))

    def _steps(self, line: Line, api: Prolific) -> Iterator[Action]:
        """The reward, unless it was paid before, then what is above it; the second waits for the first."""
        submission, now = paying.submission_of(line.enrolment), database_now()
        study = submission.prolific_study
        if line.currency != study.currency:
            raise Refused(f"Approved in {line.currency}, but the study at Prolific pays in {study.currency}.")
        reward = 0 if line.paid_before else _reward(submission)
        if line.amount < reward:
            raise Refused(
                f"Prolific pays {reward} for an approved submission, more than the {line.amount} that were approved: "
                "approve at least the reward."
            )
        if reward:
            decide = paying.screen_out if _is_screen_out(submission) else paying.approve
            approved = decide(line.enrolment, key=f"{line.key} reward", api=api, now=now)
            yield approved
            if approved.state != Action.State.DONE:
                return
        if line.amount > reward:
            yield paying.bonus(line.enrolment, line.amount - reward, key=f"{line.key} bonus", api=api, now=now)


def _category(enrolment: Enrolment) -> str:
    return "FAILED_CHECK" if enrolment.check_failure else "LOW_EFFORT"


def _is_screen_out(submission: Submission) -> bool:
    enrolment = submission.enrolment
    screened = enrolment is not None and enrolment.screened_out_at is not None
    return bool(submission.prolific_study.screen_out_reward) and (screened or submission.status == SCREENED_OUT)


def _reward(submission: Submission) -> int:
    """What the first decision pays; nothing for somebody who gave the submission back: they get it all as a bonus."""
    study = submission.prolific_study
    if submission.status in {"RETURNED", "TIMED-OUT"}:
        return 0
    return study.screen_out_reward if _is_screen_out(submission) else study.reward


def _reference(steps: list[Action]) -> str:
    """Prolific's own names for what was done."""
    last = steps[-1]
    return f"Prolific submission {last.submission.submission_id}" + (f", bonus {last.bulk_id}" if last.bulk_id else "")
