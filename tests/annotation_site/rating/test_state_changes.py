"""A study's history: each change of its state once, in the transaction that made it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from annotation_site.rating import assignment

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_every_change_of_state_is_written_down_once(make_study):
    study = make_study(opened=False)
    moves = (
        assignment.open_study, assignment.pause_study, assignment.pause_study, assignment.open_study,
        assignment.close_study, assignment.close_study,
    )  # fmt: skip
    for number, move in enumerate(moves):
        move(study, now=NOON + timedelta(minutes=number))
    written = [(change.state, change.at.minute) for change in study.changes.all()]
    assert written == [("open", 0), ("paused", 1), ("open", 3), ("closed", 4)]


def test_a_change_that_was_undone_was_never_there(make_study):
    study = make_study(opened=False)
    with transaction.atomic():
        assignment.open_study(study, now=NOON)
        transaction.set_rollback(True)
    study.refresh_from_db()
    assert (study.state, study.changes.count()) == ("draft", 0)
