"""A lease expires during the submit: exactly one winner, and the late answer is kept."""

from __future__ import annotations

import pytest

from annotation_site.rating.models import Judgement
from tests.annotation_site.attacks.expiring import expire_while_submitting

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 50


def test_an_expiring_seat_has_exactly_one_winner(make_study):
    won = expire_while_submitting(make_study(items=ROUNDS, seats_per_item=1), ROUNDS)
    assert sum(won.values()) == Judgement.objects.counted().count() == ROUNDS
