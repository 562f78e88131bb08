"""Pages that follow a running study: how often they ask, and how little it costs to tell them that nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language
from django_htmx.http import HTMX_STOP_POLLING

from annotation_site.raters.models import Enrolment
from annotation_site.rating.models import Judgement, Seat
from annotation_site.studies.models import Item, Study

SECONDS, QUIET_SECONDS = 10, 60
# After so long a page is read anew although no row has changed: what happened "in the last hour" has.
BUCKET = 300


def seconds_between(study: Study, *, quiet: bool = False) -> int:
    """How long a page waits before it asks again; 0 where nothing will come any more."""
    if study.state == Study.State.CLOSED:
        return 0
    return QUIET_SECONDS if quiet or study.state != Study.State.OPEN else SECONDS


def marks(study: Study, now: datetime) -> list[Any]:
    """What differs as soon as the live page would: numbers and latest keys of its rows, none of the rows themselves."""
    last = Judgement.objects.filter(enrolment__study=study).aggregate(Max("pk"), Count("pk"))
    places = Seat.objects.filter(study=study).order_by().values_list("state").annotate(Count("pk"))
    raters = Enrolment.objects.filter(study=study).aggregate(
        Count("pk"), Count("excluded_at"), Max("excluded_at"), simulated=Count("pk", filter=Q(rater__simulated=True))
    )
    withdrawn = Item.objects.filter(study=study, withdrawn_at__isnull=False)
    return [
        study.pk, study.state, study.title, int(now.timestamp()) // BUCKET, sorted(last.items()), sorted(places),
        sorted(raters.items()), withdrawn.aggregate(Count("pk"), Max("withdrawn_at")),
    ]  # fmt: skip


def tag(request: HttpRequest, seen: list[Any]) -> str:
    """An entity tag of what is seen, by whom and in which language: links and words depend on these."""
    whole = repr((seen, request.user.pk, get_language()))
    return f'"{sha256(whole.encode()).hexdigest()[:32]}"'


def answer(
    request: HttpRequest, etag: str, *, ended: bool, template: str, context: Callable[[], dict[str, Any]]
) -> HttpResponse:
    """304 to who has it already, or the part anew; the last one says that none follows."""
    response: HttpResponse | None = get_conditional_response(request, etag=etag)
    if response is None:
        response = render(request, template, context(), status=HTMX_STOP_POLLING if ended else 200)
    response["ETag"] = etag
    return response
