"""A batch that takes longer than its claims were given for keeps them while it draws."""

from __future__ import annotations

from datetime import timedelta

import pytest

from annotation_site.rating.assignment import database_now
from annotation_site.stimuli.models import Generation, Recipe
from annotation_site.studies.building import Stimulus, build_study
from annotation_site.worker import generation as worker
from attribution import records

pytestmark = pytest.mark.django_db
CLAIMED = Generation.objects.filter(state="claimed")


def queued(count: int) -> None:
    recipe = Recipe.objects.ensure(records.Recipe(model="tinyworld", steps=1, height=64, width=64))
    word = records.Word("star", 0, 4, "NOUN", "star", 0, "root")
    stimuli = [Stimulus(records.Prompt(f"star {n}", (word,), source_id=str(n)), 0) for n in range(count)]
    build_study(slug="study", title="T", kind="likert", stimuli=stimuli, recipe=recipe, seed=0, source="test")


def test_the_claims_that_are_left_are_renewed_with_each_image():
    queued(3)
    left: list[int] = []

    def age_them(tally: worker.Tally) -> None:
        """What is left is renewed after the second image, when its claims were about to run out."""
        late = database_now() + timedelta(minutes=25)
        left.append(CLAIMED.all().filter(claimed_until__gt=late).count())
        CLAIMED.all().update(claimed_until=database_now() + timedelta(seconds=1))

    assert worker.precompute(Generation.objects.all(), batch_size=3, on_image=age_them).done == 3
    assert left == [2, 1, 0]


def test_only_ones_own_claims_are_renewed_and_fresh_ones_are_left_alone():
    queued(3)
    now = database_now()
    rows = list(Generation.objects.order_by("id"))
    for row, owner, minutes in zip(rows, ("me:1", "me:1", "other:2"), (10, 29, 10), strict=True):
        Generation.objects.filter(pk=row.pk).update(
            state="claimed", claimed_by=owner, claimed_until=now + timedelta(minutes=minutes)
        )
    assert worker.renew("me:1") == 1
    ends = [row.claimed_until for row in Generation.objects.order_by("id")]
    assert ends[0] >= now + worker.LEASE
    assert ends[1:] == [now + timedelta(minutes=29), now + timedelta(minutes=10)]
