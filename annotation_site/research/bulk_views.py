"""A study's raters and items as lists, for all who may read it; what is done to many of them, for those who run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation_site.raters.models import Enrolment
from annotation_site.rating import bulk
from annotation_site.rating.bulk_admin import tell
from annotation_site.rating.reasons import ReasonForm
from annotation_site.research.pages import page
from annotation_site.studies.access import may_run, study_to_run, study_to_see
from annotation_site.studies.models import Item, Study

A_PAGE = 100


@dataclass(frozen=True)
class Things:
    """Rows of a study that deeds are done to; ``key`` names one within the study, in place of its number."""

    title: str | Promise
    deeds: dict[str, bulk.Deed]
    of: Callable[[Study], QuerySet[Any]]
    counted: Callable[[QuerySet[Any]], QuerySet[Any]]
    key: str


def _raters(study: Study) -> QuerySet[Any]:
    return Enrolment.objects.filter(study=study)


def _items(study: Study) -> QuerySet[Any]:
    return Item.objects.filter(study=study)


THINGS = {
    "raters": Things(gettext_lazy("Raters"), bulk.FOR_RATERS, _raters, bulk.raters, "rater__pseudonym"),
    "items": Things(gettext_lazy("Items"), bulk.FOR_ITEMS, _items, bulk.items, "position"),
}


@page("GET")
def rows(request: HttpRequest, slug: str, things: str) -> HttpResponse:
    """A page of the raters or items; those who run the study choose among them."""
    study, kind = study_to_see(request, slug), THINGS[things]
    found = Paginator(kind.of(study).order_by("pk"), A_PAGE).get_page(request.GET.get("page"))
    here = kind.counted(kind.of(study).filter(pk__in=[row.pk for row in found]))
    context = {"study": study, "things": things, "kind": kind, "page": found, "rows": list(here)}
    return render(request, "research/rows.html", {**context, "may_run": may_run(request, study)})


@page("GET", "POST")
def deed(request: HttpRequest, slug: str, things: str, deed: str) -> HttpResponse:
    """What the deed brings to the chosen rows, and then the deed; rows of other studies are not there."""
    study, kind = study_to_run(request, slug), THINGS[things]
    doing, chosen = kind.deeds.get(deed), set(request.GET.getlist("chosen"))
    if doing is None:
        raise Http404(_("There is no such page."))
    if not chosen or len(chosen) > bulk.MOST:
        messages.info(request, _("Choose some first, %(most)d at most.") % {"most": bulk.MOST})
        return redirect("research-rows", slug=slug, things=things)
    found = list(kind.counted(_named(kind, study, chosen)))
    if len(found) != len(chosen):
        raise Http404(_("Some of what you chose is not in this study: choose again."))
    form = ReasonForm.of(request)
    if request.method == "POST" and form.is_valid():
        tell(request, bulk.perform(doing, found, form.cleaned_data["reason"]), f"{doing.label}: ")
        return redirect("research-rows", slug=slug, things=things)
    context = {"study": study, "things": things, "kind": kind, "form": form, **bulk.brought(doing, found)}
    return render(request, "research/deed.html", context, status=422 if form.is_bound else 200)


def _named(kind: Things, study: Study, chosen: set[str]) -> QuerySet[Any]:
    numbers = {name for name in chosen if name.isascii() and name.isdecimal() and len(name) < 10}
    return kind.of(study).filter(**{f"{kind.key}__in": numbers if kind.key == "position" else chosen})
