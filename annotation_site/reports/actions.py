"""Where a study stands, and the one thing to do next."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet
from django.urls import reverse

from annotation_site.counting import number
from annotation_site.rating.models import Seat
from annotation_site.rating.seats import Seats
from annotation_site.studies.models import Item, Study


@dataclass(frozen=True)
class Action:
    """What to do next, and where; without an address it is a command to type."""

    text: str
    label: str = ""
    address: str = ""
    command: str = ""


def next_action(study: Study, seats: Seats, *, admin: bool) -> Action:
    """The one next step of a study in its present state."""
    form = reverse("admin:studies_study_change", args=[study.pk])
    join = reverse("join", args=[study.slug])
    if study.state == Study.State.DRAFT:
        text = "The study is a draft: nobody can rate yet."
        return Action(text, "Open it in the admin", form) if admin else Action(text)
    if study.state == Study.State.CLOSED:
        return Action("The study is closed; these numbers are final.", "Download the rows", _rows(study))
    if seats.total and not seats.left:
        text = "Every place is answered."
        return Action(text, "Close it in the admin", form) if admin else Action(text, "Download the rows", _rows(study))
    if study.state == Study.State.PAUSED:
        text = "The study is paused: no place is handed out."
        return Action(text, "Open it again in the admin", form) if admin else Action(text)
    if seats.pending and not seats.free and not seats.leased:
        text = f"{seats.pending} places wait for their images: make them with"
        return Action(text, command=f"python manage.py precompute {study.slug}")
    if admin:
        return Action(f"{seats.left} places are open: send raters to this page's link.", "The raters' page", join)
    return Action(f"{seats.left} places are open.", "Rate some yourself", join)


def _rows(study: Study) -> str:
    return reverse("report-rows", args=[study.slug])


def with_progress(studies: QuerySet[Study]) -> QuerySet[Study]:
    """Each study with its ``places`` (seats of items in use), how many are ``answered``, and how many of these by
    ``simulated`` raters; newest first, in one query."""
    rated = {"item__withdrawn_at__isnull": True, "item__purpose": Item.Purpose.RATED}
    seats = Seat.objects.filter(study=OuterRef("pk"), **rated).order_by().values("study")
    # Subqueries: joining seats to the studies' own row would group by every one of its columns.
    return studies.annotate(
        places=number(seats),
        answered=number(seats.filter(state="done")),
        simulated=number(seats.filter(state="done", enrolment__rater__simulated=True)),
    )
