"""Deeds done to many rows of a list in the administration: chosen there, confirmed on a page of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from annotation_site.rating.bulk import MOST, Deed, Outcome, brought, perform
from annotation_site.rating.reasons import ReasonForm
from annotation_site.studies.models import Study

Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]


class BulkAdmin(ModelAdmin):
    """``deeds`` are its actions; ``things`` names its rows; ``counted`` adds what the page says of each."""

    deeds: dict[str, Deed] = {}
    things = ""
    change_form_outer_before_template = "administration/deeds_bar.html"

    class Media:
        css = {"all": ("css/administration.css",)}

    @staticmethod
    def counted(rows: QuerySet[Any]) -> QuerySet[Any]:
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        here = path("do/<slug:name>/", self.admin_site.admin_view(self.bulk_view), name=self._name("do"))
        return [here, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.counted(self._rows(request)).filter(pk=object_id).first() if object_id.isdecimal() else None
        possible = [deed for deed in self.deeds.values() if row is not None and not deed.stands(row)]
        ways = [(deed, self._address(deed, [object_id])) for deed in possible]
        return super().change_view(request, object_id, form_url, {"deeds": ways, **(extra_context or {})})

    def bulk_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """What the deed brings to the rows named in the address, and then the deed."""
        deed = self.deeds.get(name)
        if deed is None:
            raise Http404(f"Nothing is called {name!r} here.")
        numbers = _numbers(request.GET.get("ids", ""))
        rows = list(self.counted(self._rows(request).filter(pk__in=numbers)))
        if not rows or len(rows) != len(numbers):
            raise Http404(f"These {self.things} are not all there: choose them in the list again.")
        form = ReasonForm.of(request)
        if request.method == "POST" and form.is_valid():
            tell(request, perform(deed, rows, form.cleaned_data["reason"]), f"{deed.label}: ")
            return redirect(reverse(f"admin:{self._name('changelist')}") + self._filter(rows))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{deed.label}: {len(rows)} {self.things}",
            **brought(deed, rows),
            "list_address": reverse(f"admin:{self._name('changelist')}"),
            "opts": self.opts,
            "form": form,
        }
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "administration/deed.html", context, status=status)

    def _rows(self, request: HttpRequest) -> QuerySet[Any]:
        return self.model._default_manager.filter(study__in=Study.objects.run_by(request.user))

    def _name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def _address(self, deed: Deed, numbers: Iterable[Any]) -> str:
        return reverse(f"admin:{self._name('do')}", args=[deed.name]) + "?ids=" + ",".join(map(str, numbers))

    @staticmethod
    def _filter(rows: list[Any]) -> str:
        studies = {row.study_id for row in rows}
        return f"?study__id__exact={studies.pop()}" if len(studies) == 1 else ""


def _numbers(text: str) -> set[int]:
    parts = text.split(",")
    if len(parts) > MOST or not all(part.isdecimal() and part.isascii() and len(part) < 19 for part in parts):
        raise Http404(f"Choose rows in the list again, {MOST} at most.")
    return {int(part) for part in parts}


def action_for(deed: Deed) -> Action:
    """The action of a list that leads to the deed's page."""

    def choose(modeladmin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        numbers = list(queryset.order_by().values_list("pk", flat=True)[: MOST + 1])
        if len(numbers) > MOST:
            messages.error(request, f"{MOST} at once at most, so that somebody reads them: choose fewer.")
            return None
        return redirect(modeladmin._address(deed, sorted(numbers)))

    choose.__name__ = deed.name.replace("-", "_")
    choose.short_description = f"{deed.label}…"  # type: ignore[attr-defined]
    return choose


def tell(request: HttpRequest, outcome: Outcome, begin: str) -> None:
    """Say what was done, what stood already, and what was refused."""
    if outcome.done:
        messages.success(request, begin + _("%(number)d done.") % {"number": outcome.done})
    if outcome.stood:
        messages.info(request, begin + _("nothing to change for %(number)d.") % {"number": outcome.stood})
    for reason in outcome.refused:
        messages.error(request, reason)
