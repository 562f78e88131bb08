"""The preregistrations of a study: what was registered, a form that registers anew, and files to take away."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from annotation_site.rating.assignment import database_now
from annotation_site.reports.downloads import as_file
from annotation_site.reports.preregistration.bundle import as_zip, name_of
from annotation_site.reports.preregistration.registering import answers_of_people, document_of, register
from annotation_site.reports.preregistration.statements import LONGEST, STATEMENTS
from annotation_site.reports.preregistration.tables import parts
from annotation_site.research.pages import page
from annotation_site.studies.access import may_run, study_to_run, study_to_see
from annotation_site.studies.models import Registration, Study


class StatementsForm(forms.Form):
    """A field for each statement."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, (question, explained) in STATEMENTS.items():
            area = forms.Textarea(attrs={"rows": 4})
            self.fields[name] = forms.CharField(
                label=str(question), help_text=str(explained), required=False, max_length=LONGEST, widget=area
            )


@page("GET", "POST")
def registrations(request: HttpRequest, slug: str) -> HttpResponse:
    """All versions, newest first; POST registers the study as it stands with what the form says."""
    study = study_to_run(request, slug) if request.method == "POST" else study_to_see(request, slug)
    made = Registration.objects.of(study).order_by("-number")
    newest = made.first()
    form = StatementsForm(request.POST or None, initial=document_of(newest)["statements"] if newest else None)
    if request.method == "POST" and form.is_valid():
        return _registered(request, study, form.cleaned_data)
    context = {
        "study": study,
        "registrations": made.defer("document"),
        "standing": Registration.objects.standing(study),
        "answers": answers_of_people(study),
        "may_run": may_run(request, study),
        "form": form,
    }
    return render(request, "research/registrations.html", context, status=422 if form.errors else 200)


def _registered(request: HttpRequest, study: Study, statements: dict[str, str]) -> HttpResponse:
    made, new = register(study, statements, by=request.user.get_username(), now=database_now())
    if new:
        messages.success(request, _("Version %(number)d is registered; it stays as it is.") % {"number": made.number})
    else:
        messages.info(request, _("Nothing has changed since version %(number)d.") % {"number": made.number})
    return redirect("research-registration", slug=study.slug, number=made.number)


@page("GET")
def registration(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One version: what it says of itself, and all that it holds but the items one by one."""
    study = study_to_see(request, slug)
    found = _one(study, number)
    document = document_of(found)
    context = {
        "study": study,
        "registration": found,
        "is_standing": found == Registration.objects.standing(study),
        "file": f"{name_of(found)}.json",
        "said": [(question, document["statements"][name]) for name, (question, _help) in STATEMENTS.items()],
        "parts": parts(document),
    }
    return render(request, "research/registration.html", context)


@page("GET")
def download(request: HttpRequest, slug: str, number: int, form: str) -> HttpResponse:
    """The very bytes that were hashed, or a zip of them with the same in words."""
    found = _one(study_to_see(request, slug), number)
    if form == "json":
        return as_file(found.document.encode(), "application/json", f"{name_of(found)}.json")
    return as_file(as_zip(found), "application/zip", f"{name_of(found)}.zip")


def _one(study: Study, number: int) -> Registration:
    found = Registration.objects.of(study).filter(number=number).first()
    if found is None:
        raise Http404(_("This study has no registration %(number)d.") % {"number": number})
    return found
