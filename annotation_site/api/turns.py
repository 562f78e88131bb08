"""What comes next for a rater who uses the API: the same steps as on the pages."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from django.urls import reverse
from rest_framework.request import Request

from annotation_site.api import payloads
from annotation_site.raters.models import Enrolment
from annotation_site.rating import assignment, flow
from annotation_site.rating.models import Seat
from annotation_site.rating.views import SEEN

RANDOM = random.SystemRandom()


def next_turn(enrolment: Enrolment, request: Request, *, now: datetime) -> dict[str, Any]:
    """The current seat, or what stands before it. A break or a request for care is told once and noted as told."""
    step = flow.next_step(enrolment, now)
    if step.kind is flow.Kind.ITEM:
        return _item(enrolment, request, now=now)
    if step.kind is flow.Kind.BREAK:
        flow.break_offered(enrolment)
    elif step.kind is flow.Kind.CARE:
        flow.warned(enrolment, now=now)
    return _turn(enrolment, request, step.kind.value, address=step.address)


def _item(enrolment: Enrolment, request: Request, *, now: datetime) -> dict[str, Any]:
    seat = assignment.claim_next(enrolment, rng=RANDOM, now=now)
    if seat is not None:
        seat = Seat.objects.select_related(*SEEN).get(pk=seat.pk)
        return _turn(enrolment, request, "rate", seat=payloads.seat(seat, enrolment, request, now=now))
    if not assignment.has_finished(enrolment):
        return _turn(enrolment, request, "wait")
    enrolment.complete()
    return _turn(enrolment, request, "done")


def _turn(
    enrolment: Enrolment, request: Request, status: str, *, address: str = "", seat: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "status": status,
        "link": request.build_absolute_uri(address or reverse("rate", args=[enrolment.token])),
        "seat": seat,
        "progress": payloads.progress(enrolment),
        "completion_code": payloads.completion_code(enrolment) if status == "done" else None,
    }
