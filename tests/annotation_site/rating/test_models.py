"""What the database itself refuses of a judgement."""

from __future__ import annotations

import random
import uuid

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"rating": 0},
        {"rating": 6},
        {"first_present": True},
        {"rating": 3, "opt_out": "image_too_poor"},
        {"rating": 3, "first_present": True, "second_present": True},
        {"opt_out": "tired"},
    ],
)
def test_a_judgement_is_one_answer(make_study, enrol, answer):
    enrolment = enrol(make_study(items=1))
    seat, now = assignment.claim_next(enrolment, rng=random.Random(0)), timezone.now()
    with pytest.raises(IntegrityError, match="a_judgement_is_one_answer"), transaction.atomic():
        Judgement.objects.create(
            seat=seat, enrolment=enrolment, key=uuid.uuid4(), shown_at=now, answered_at=now, **answer
        )
