"""What deviates from a study's preregistration, as a page and as JSON."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from annotation_site.rating.assignment import database_now
from annotation_site.reports.access import researchers_only
from annotation_site.reports.downloads import as_file
from annotation_site.reports.loading import snapshot
from annotation_site.reports.preregistration.deviations import Deviation, answers_that_count, as_plain, deviations
from annotation_site.reports.preregistration.registering import document_of
from annotation_site.studies.access import is_open, study_to_read
from annotation_site.studies.models import Registration, Study


@researchers_only
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The deviations from the registration that counts, or from the version that ``?version=`` names."""
    study = study_to_read(request, slug)
    registration = _chosen(study, request)
    context: dict[str, Any] = {"study": study, "registration": registration, "is_open": is_open()}
    if registration is not None:
        found, now = _checked(registration)
        context |= {
            "deviations": found,
            "checked_at": now,
            "wanted": document_of(registration)["content"]["sample"]["judgements"],
            "counted": answers_that_count(study),
            "others": Registration.objects.of(study).exclude(pk=registration.pk).defer("document"),
            # In the demo anybody reads this page; who works on a study is for people with an account.
            "shows_names": request.user.is_authenticated,
        }
    return render(request, "reports/deviations.html", context)


@researchers_only
def as_json(request: HttpRequest, slug: str) -> HttpResponse:
    """The same as JSON, with the moment of the check."""
    study = study_to_read(request, slug)
    registration = _chosen(study, request)
    if registration is None:
        raise Http404(f"Study {slug} has no registration to deviate from.")
    found, now = _checked(registration)
    content = {
        "study": slug,
        "registration": registration.number,
        "sha256": registration.sha256,
        "checked_at": now.isoformat(),
        "deviations": as_plain(found, names=request.user.is_authenticated),
    }
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    return as_file(text.encode(), "application/json", f"{slug}-deviations.json")


def _checked(registration: Registration) -> tuple[list[Deviation], datetime]:
    now = database_now()
    with snapshot():
        return deviations(registration), now


def _chosen(study: Study, request: HttpRequest) -> Registration | None:
    version = request.GET.get("version", "")
    if not version:
        return Registration.objects.standing(study)
    found = Registration.objects.of(study).filter(number=version).first() if version.isdecimal() else None
    if found is None:
        raise Http404(f"version={version!r}: study {study.slug} has no such registration.")
    return found
