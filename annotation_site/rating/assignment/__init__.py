"""Who judges what: the one place where seats change hands.

Right on PostgreSQL and on SQLite alike: row locks only shorten waits, while a conditional update, whose row count
decides, and the constraints of :mod:`annotation_site.rating.models` carry the correctness. Whoever locks both locks
the enrolment first and its seats after it.
"""

from annotation_site.rating.assignment.answers import Answer, AnswerRefused, KeyReused, RatingError, StudyNotReady
from annotation_site.rating.assignment.claims import claim_ahead, claim_next, has_finished, may_rate
from annotation_site.rating.assignment.clock import database_now
from annotation_site.rating.assignment.leases import (
    heartbeat,
    release,
    release_all,
    release_all_expired,
    release_expired,
    renew,
    reopen_seats,
)
from annotation_site.rating.assignment.opening import (
    close_study,
    open_study,
    pause_study,
    release_pending,
    withdraw_item,
)
from annotation_site.rating.assignment.places import answered, given, places_left, progress
from annotation_site.rating.assignment.recording import record

__all__ = [
    "Answer",
    "AnswerRefused",
    "KeyReused",
    "RatingError",
    "StudyNotReady",
    "answered",
    "claim_ahead",
    "claim_next",
    "close_study",
    "database_now",
    "given",
    "has_finished",
    "heartbeat",
    "may_rate",
    "open_study",
    "pause_study",
    "places_left",
    "progress",
    "record",
    "release",
    "release_all",
    "release_all_expired",
    "release_expired",
    "release_pending",
    "renew",
    "reopen_seats",
    "withdraw_item",
]
