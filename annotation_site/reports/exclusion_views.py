"""Whom the study's own exclusion rules take out now, and the button that does it: for who runs the study."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from annotation_site.raters.models import Enrolment
from annotation_site.rating.assignment import database_now
from annotation_site.reports.exclusions import Hit, apply, hits
from annotation_site.reports.loading import load
from annotation_site.reports.rule_text import rule_text
from annotation_site.studies.access import study_to_run
from annotation_site.studies.models import Study


@require_http_methods(["GET", "HEAD", "POST"])
@cache_control(private=True, no_cache=True)
def exclusions(request: HttpRequest, slug: str) -> HttpResponse:
    """GET shows whom each rule would exclude, POST excludes them; raters who came to be excluded stay so."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    study = study_to_run(request, slug)
    if request.method == "POST":
        messages.success(request, _exclude(study, request.user))
        return redirect("report-exclusions", slug=slug)
    return render(request, "reports/exclusions.html", _page(study))


def _exclude(study: Study, user: User) -> str:
    """Apply the rules to the answers as they are now; what was done, which the study's history says too."""
    with transaction.atomic():
        found = hits(load(study))
        number = apply(study, found, database_now())
        said = f"{number} {'rater' if number == 1 else 'raters'} newly excluded by the study's rules"
        if number:
            LogEntry.objects.log_actions(user.pk, [study], CHANGE, f"{said}: {_counts(found)}.", single_object=True)
    return f"{said}."


def _counts(found: list[Hit]) -> str:
    return ", ".join(f"{rule} -> {number}" for rule, number in sorted(Counter(hit.rule for hit in found).items()))


def _page(study: Study) -> dict[str, Any]:
    found = hits(load(study))
    excluded = Enrolment.objects.filter(study=study, excluded_at__isnull=False).select_related("rater")
    out = {enrolment.rater.pseudonym for enrolment in excluded}
    new = [hit for hit in found if hit.rater not in out]
    rules = [
        {
            "text": rule_text(rule),
            "new": [hit for hit in new if hit.rule == rule["name"]],
            "number": sum(hit.rule == rule["name"] for hit in found),
        }
        for rule in study.exclusion_rules
    ]
    return {"study": study, "rules": rules, "new": len(new), "excluded": excluded.order_by("rater__pseudonym")}
