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
    release_study,
    renew,
    reopen_seats,
    take_back,
)
from annotation_site.rating.assignment.opening import (
    close_study,
    open_study,
    pause_study,
    release_pending,
)
from annotation_site.rating.assignment.places import answered, given, places_left, progress
from annotation_site.rating.assignment.readiness import Problem, problems
from annotation_site.rating.assignment.recording import record
from annotation_site.rating.assignment.redrawing import draw_again
from annotation_site.rating.assignment.withdrawing import CannotPutBack, CannotWithdraw, put_item_back, withdraw_item

__all__ = [
    "Answer",
    "AnswerRefused",
    "CannotPutBack",
    "CannotWithdraw",
    "KeyReused",
    "Problem",
    "RatingError",
    "StudyNotReady",
    "answered",
    "claim_ahead",
    "claim_next",
    "close_study",
    "database_now",
    "draw_again",
    "given",
    "has_finished",
    "heartbeat",
    "may_rate",
    "open_study",
    "pause_study",
    "places_left",
    "problems",
    "progress",
    "put_item_back",
    "record",
    "release",
    "release_all",
    "release_all_expired",
    "release_expired",
    "release_pending",
    "release_study",
    "renew",
    "reopen_seats",
    "take_back",
    "withdraw_item",
]
