"""A process that rates as several raters in turn until nothing is left: ``python raters.py SEED ENROLMENT ...``."""

from __future__ import annotations

import random
import sys
import uuid

import django

django.setup()

from annotation_site.raters.models import Enrolment  # noqa: E402
from annotation_site.rating import assignment  # noqa: E402
from annotation_site.rating.assignment import Answer  # noqa: E402


def rate(enrolment: Enrolment, rng: random.Random) -> bool:
    """One answer; False when there is nothing for this rater. A third of the raters' screens fetch ahead."""
    seat = assignment.claim_next(enrolment, rng=rng)
    if seat is None:
        return False
    if enrolment.pk % 3 == 0:
        assignment.claim_ahead(enrolment, rng=rng)
    answer, now = Answer(rating=rng.randint(1, 5)), assignment.database_now()
    assignment.record(
        seat=seat, enrolment=enrolment, answer=answer, key=uuid.UUID(int=rng.getrandbits(128)), shown_at=now
    )
    return True


def main(seed: str, *numbers: str) -> None:
    rng = random.Random(seed)
    raters = list(Enrolment.objects.select_related("study").filter(pk__in=numbers))
    # Who finds nothing leaves: what others hold by then, they answer.
    while raters:
        raters = [enrolment for enrolment in raters if rate(enrolment, rng)]


main(*sys.argv[1:])
