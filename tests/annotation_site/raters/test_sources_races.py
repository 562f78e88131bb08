"""Many who come at once: a cap holds, and one id stays one rater."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from annotation_site.raters import sources
from annotation_site.raters.consent import consent_of
from annotation_site.raters.models import Enrolment, Rater, Source
from annotation_site.raters.sources.presets import new_source

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8


def at_once(work: Callable[[int], object]) -> list[object]:
    gate = threading.Barrier(THREADS)

    def run(number: int) -> object:
        try:
            gate.wait(timeout=30)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def enrol(source: Source, person: str) -> Enrolment | None:
    try:
        consent = consent_of(source.study, "en")
        return sources.enrol_arrival(source, sources.Arrival(person), consent, locale="en", now=timezone.now())
    except sources.NotTaken:
        return None


def test_a_cap_of_three_lets_three_of_eight_in(make_study):
    source = new_source(make_study(), "open", "open", cap=3)
    source.save()
    taken = [enrolment for enrolment in at_once(lambda number: enrol(source, "")) if enrolment]
    assert len(taken) == Enrolment.objects.count() == 3
    assert sorted(Enrolment.objects.values_list("place", flat=True)) == [1, 2, 3]
    assert Rater.objects.count() == 3


def test_one_id_that_comes_eight_times_at_once_is_one_rater(make_study):
    source = new_source(make_study(), "panel", "panel")
    source.save()
    found = at_once(lambda number: enrol(source, "A"))
    assert len({enrolment.pk for enrolment in found}) == 1
    assert Enrolment.objects.count() == Rater.objects.count() == 1
