"""A lease that runs out while its holder submits and somebody else claims."""

from __future__ import annotations

import random
import threading
import uuid
from datetime import timedelta

from django.db import connection

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating import assignment
from annotation_site.rating.assignment import Answer
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Study
from tests.annotation_site.invariants import assert_invariants

SLOW, QUICK = 1, 5


class Duel:
    """Two raters' threads that meet at a barrier, round after round."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.gate = threading.Barrier(3)
        self.pair: tuple[Seat, Enrolment, Enrolment] | None = None
        self.errors: list[BaseException] = []
        self.threads = [threading.Thread(target=self._run, args=(part,)) for part in (self._late, self._next)]
        for thread in self.threads:
            thread.start()

    def fight(self, seat: Seat, slow: Enrolment, quick: Enrolment) -> None:
        """One round; returns when both are through."""
        self.pair = (seat, slow, quick)
        self.gate.wait(timeout=60)
        self.gate.wait(timeout=60)

    def end(self) -> None:
        for thread in self.threads:
            thread.join()

    def _run(self, part) -> None:
        try:
            for _ in range(self.rounds):
                self.gate.wait(timeout=60)
                part(*self.pair)
                self.gate.wait(timeout=60)
        except BaseException as error:
            self.errors.append(error)
            self.gate.abort()
        finally:
            connection.close()

    def _late(self, seat: Seat, slow: Enrolment, quick: Enrolment) -> None:
        submit(seat, slow, SLOW)

    def _next(self, seat: Seat, slow: Enrolment, quick: Enrolment) -> None:
        taken = assignment.claim_next(quick, rng=random.Random(0))
        if taken is not None:
            submit(taken, quick, QUICK)


def submit(seat: Seat, enrolment: Enrolment, rating: int) -> None:
    now = assignment.database_now()
    assignment.record(seat=seat, enrolment=enrolment, answer=Answer(rating=rating), key=uuid.uuid4(), shown_at=now)


def expire_while_submitting(study: Study, rounds: int) -> dict[str, int]:
    """Each round on the one seat that is left; who won it how often. The study has one seat an item, ``rounds`` items.

    In each round exactly one of the two is counted, and the late answer is stored in any case.
    """
    won = {"late": 0, "next": 0}
    duel = Duel(rounds)
    try:
        for number in range(rounds):
            slow, quick = (Enrolment.objects.create(rater=Rater.objects.create(), study=study) for _ in range(2))
            seat = assignment.claim_next(slow, rng=random.Random(number))
            assert seat is not None
            others = Seat.objects.filter(study=study, state="free")
            set_aside = list(others.values_list("pk", flat=True))
            others.update(state="pending")
            Seat.objects.filter(pk=seat.pk).update(leased_until=assignment.database_now() - timedelta(seconds=1))
            duel.fight(seat, slow, quick)
            if duel.errors:
                break
            assert Judgement.objects.filter(enrolment=slow).count() == 1
            [counted] = Judgement.objects.counted().filter(seat=seat)
            won["late" if counted.rating == SLOW else "next"] += 1
            Seat.objects.filter(pk__in=set_aside).update(state="free")
    finally:
        if duel.errors:
            raise duel.errors[0]
        if sum(won.values()) < rounds:
            duel.gate.abort()
        duel.end()
    assert_invariants(study)
    return won
