"""How a rater's part has ended, read off the rows: what decides which code they get."""

from __future__ import annotations

from annotation_site.raters.models import Enrolment, Outcome


def outcome_of(enrolment: Enrolment, *, answers: int) -> Outcome | None:
    """The outcome of someone at the end page; None while they wait for a first item, and for those without any.

    ``answers`` is how many they gave: who came when nothing was left to judge has completed nothing.
    """
    if enrolment.screened_out_at is not None:
        return Outcome.SCREENED_OUT
    if enrolment.excluded_at is not None:
        return Outcome.FAILED_CHECKS if enrolment.check_failure else None
    if enrolment.left_at is not None:
        return None
    if answers:
        return Outcome.COMPLETE
    return Outcome.FULL if enrolment.completed_at is not None else None
