"""Who took part, as Prolific has it: by its list, and by its events one at a time.

An event moves a submission forward only, in the order in which submissions go at Prolific, so that events may come
late, twice or in any order. What Prolific answers when it is asked is the truth of that moment, whichever way it moves.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Count, Q
from django.utils.dateparse import parse_datetime

from annotation_site.raters.models import Enrolment
from annotation_site.raters.sources import Arrival, find_arrival
from annotation_site.rating import assignment
from annotation_site.recruitment.client import JSON, Prolific
from annotation_site.recruitment.models import ProlificStudy, Submission

RESERVED, ACTIVE, TIMED_OUT, AWAITING = "RESERVED", "ACTIVE", "TIMED-OUT", "AWAITING REVIEW"
RETURNED, REJECTED, SCREENED_OUT, APPROVED = "RETURNED", "REJECTED", "SCREENED OUT", "APPROVED"
PARTIALLY_APPROVED = "PARTIALLY APPROVED"
# Somebody may come back with the code after the time was out, and a rejection may be lifted by an approval.
ORDER = {
    RESERVED: 0,
    ACTIVE: 1,
    TIMED_OUT: 2,
    AWAITING: 3,
    RETURNED: 4,
    REJECTED: 4,
    SCREENED_OUT: 5,
    PARTIALLY_APPROVED: 5,
    APPROVED: 5,
}
FREEING = frozenset({RETURNED, TIMED_OUT})


def status_of(row: JSON) -> str:
    """Prolific writes a status with spaces, underscores or a hyphen."""
    status = str(row.get("status", "")).upper().replace("_", " ")
    return TIMED_OUT if status == "TIMED OUT" else status


def sync(study: ProlificStudy, api: Prolific, *, now: datetime) -> int:
    """Read all submissions of a study; how many there are. ``now`` is when Prolific was asked."""
    number = 0
    for row in api.submissions(study.prolific_id):
        take(study, row, now=now)
        number += 1
    return number


@transaction.atomic
def take(study: ProlificStudy, row: JSON, *, now: datetime) -> Submission:
    """Store a submission as Prolific just described it."""
    status, code = status_of(row), str(row.get("entered_code") or row.get("study_code") or "")[:60]
    started = _moment(row.get("started_at"))
    fields = {"prolific_study": study, "status": status, "status_at": now, "started_at": started, "entered_code": code}
    found, new = Submission.objects.get_or_create(submission_id=str(row["id"]), defaults=fields)
    _link(found, str(row.get("participant") or row.get("participant_id") or ""))
    # Not older than what is known: an event may have come while the answer was on its way.
    known = Submission.objects.filter(pk=found.pk, status_at__lte=now)
    changed = known.exclude(status=status).update(status=status, status_at=now)
    if code:
        known.exclude(entered_code=code).update(entered_code=code)
    if started:
        Submission.objects.filter(pk=found.pk).exclude(started_at=started).update(started_at=started)
    found.refresh_from_db()
    if changed or new:
        _follow(found, now)
    return found


def _moment(text: object) -> datetime | None:
    """A moment as Prolific writes it, in UTC; None for what is none."""
    try:
        moment = parse_datetime(str(text))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _link(submission: Submission, participant: str) -> None:
    if submission.enrolment_id or not participant:
        return
    source = submission.prolific_study.source
    submission.enrolment = find_arrival(source, Arrival(participant))
    if submission.enrolment:
        submission.save(update_fields=["enrolment"])


@transaction.atomic
def told(submission_id: str, status: str, *, at: datetime) -> bool:
    """An event's word; True if it moved the submission. One of somebody who never came here is nothing to us."""
    status = status_of({"status": status})
    if status not in ORDER:
        return False
    before = [known for known, place in ORDER.items() if place < ORDER[status]]
    forward = Q(status__in=before) | ~Q(status__in=list(ORDER))
    moved = Submission.objects.filter(forward, submission_id=submission_id).update(status=status, status_at=at)
    if moved:
        _follow(Submission.objects.select_related("enrolment").get(submission_id=submission_id), at)
    return bool(moved)


def _follow(submission: Submission, at: datetime) -> None:
    """What a change of status means for what the rater holds here."""
    enrolment = submission.enrolment
    if enrolment is None or enrolment.submissions.newest() != submission:
        # The rater has begun again since: the end of an earlier submission takes nothing away.
        return
    if submission.status in FREEING:
        assignment.release_all(enrolment)
    left = at if submission.status == RETURNED else None
    Enrolment.objects.filter(pk=enrolment.pk).exclude(left_at=left).update(left_at=left)


def counts(study: ProlificStudy) -> list[tuple[str, int]]:
    """How many submissions stand at each status, in Prolific's order."""
    rows = study.submissions.order_by().values_list("status").annotate(Count("pk"))
    return sorted(rows, key=lambda row: (ORDER.get(row[0], 9), row[0]))
