"""Forty raters in eight processes want more than there is: each seat is judged exactly once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.models import Judgement, Seat
from tests.annotation_site.invariants import assert_invariants
from tests.annotation_site.processes import start

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = Path(__file__).parent / "raters.py"
PATIENCE = 300.0


def test_forty_raters_in_eight_processes_fill_every_seat_once(make_study, tmp_path):
    study = make_study(items=60, seats_per_item=3)
    people = [Enrolment.objects.create(rater=Rater.objects.create(), study=study).pk for _ in range(40)]
    processes = [start(sys.executable, SCRIPT, number, *people[number::8], data=tmp_path) for number in range(8)]
    outputs = [process.said(PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, outputs
    assert set(Seat.objects.values_list("state", flat=True)) == {"done"}
    assert Judgement.objects.count() == Judgement.objects.counted().count() == 180
    assert Judgement.objects.values("enrolment", "seat__item").distinct().count() == 180
    assert_invariants(study)
