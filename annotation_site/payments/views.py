"""The payments of a study: who is owed what and why, the scheme, and the preview with its confirmation."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from annotation_site.payments.accounts import accounts, schemes_of, summary
from annotation_site.payments.approving import Changed, Preview, approve, preview
from annotation_site.payments.forms import SchemeForm
from annotation_site.payments.models import Batch
from annotation_site.raters.models import Enrolment
from annotation_site.rating.assignment import database_now
from annotation_site.studies.access import study_to_run
from annotation_site.studies.models import Study

View = Callable[..., HttpResponse]


def payers_only(*methods: str) -> Callable[[View], View]:
    """Those who run the study, signed in, also in the demo; nobody else learns that it exists. In no cache."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponse:
            return view(request, study_to_run(request, slug), **kwargs)

        allowed = require_http_methods([*methods, "HEAD"] if "GET" in methods else [*methods])
        return allowed(cache_control(private=True, no_store=True)(login_required(guarded)))

    return decorate


@payers_only("GET")
def payments(request: HttpRequest, study: Study) -> HttpResponse:
    schemes = schemes_of(study)
    found = accounts(study)
    context = {
        "study": study,
        "scheme": schemes[-1] if schemes else None,
        "rows": found,
        "summary": summary(found, schemes[-1]) if schemes else None,
        "approvable": sum(bool(row.to_approve) for row in found),
        "batches": Batch.objects.filter(study=study).order_by("-number"),
        "simulated": Enrolment.objects.filter(study=study, rater__simulated=True).count(),
    }
    return render(request, "payments/study.html", context)


@payers_only("GET", "POST")
def scheme(request: HttpRequest, study: Study) -> HttpResponse:
    """The versions there were, and a form for the next."""
    schemes = schemes_of(study)
    current = schemes[-1] if schemes else None
    form = SchemeForm(study, current, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        made = form.make(by=request.user.get_username(), now=database_now())
        messages.success(
            request, _("Version %(number)d of the pay scheme holds from now on.") % {"number": made.version}
        )
        return redirect("payments", slug=study.slug)
    context = {"study": study, "form": form, "schemes": schemes, "current": current}
    return render(request, "payments/scheme.html", context, status=422 if form.is_bound else 200)


@payers_only("POST")
def show_preview(request: HttpRequest, study: Study) -> HttpResponse:
    """Who of those chosen would be paid what, and why. Nothing is changed."""
    shown = preview(study, _chosen(request))
    if not shown.rows:
        messages.info(request, _("Choose raters who have something to approve."))
        return redirect("payments", slug=study.slug)
    return _preview_page(request, study, shown)


@payers_only("POST")
def confirm(request: HttpRequest, study: Study) -> HttpResponse:
    """Approve exactly what the preview showed; where that has changed, show the new one instead."""
    by, chosen = request.user.get_username(), _chosen(request)
    try:
        batch = approve(study, chosen, _digest(request), by=by, now=database_now())
    except Changed:
        return _changed(request, study, preview(study, chosen))
    number = batch.entries.filter(kind="approval", reverses__isnull=True).count()
    text = ngettext("One payment is approved, once.", "%(number)d payments are approved, once.", number)
    messages.success(request, text % {"number": number})
    return redirect("pay-batch", slug=study.slug, number=batch.number)


def _changed(request: HttpRequest, study: Study, shown: Preview) -> HttpResponse:
    if not shown.rows:
        messages.info(request, _("Nothing of this is left to approve: it was approved, held or rejected meanwhile."))
        return redirect("payments", slug=study.slug)
    return _preview_page(request, study, shown, changed=True)


def _preview_page(request: HttpRequest, study: Study, shown: Preview, *, changed: bool = False) -> HttpResponse:
    context = {
        "study": study,
        "shown": shown,
        "rows": shown.rows,
        "changed": changed,
        "currency": shown.rows[0].earned.scheme.currency,
    }
    return render(request, "payments/preview.html", context, status=409 if changed else 200)


def _digest(request: HttpRequest) -> str:
    given = request.POST.get("digest", "")
    return given if re.fullmatch(r"[0-9a-f]{64}", given) else ""


def _chosen(request: HttpRequest) -> list[int]:
    return [
        int(value)
        for value in request.POST.getlist("rater")
        if value.isascii() and value.isdecimal() and len(value) < 19
    ]
