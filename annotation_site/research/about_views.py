"""What raters are told of a study: who runs it, who approved it, whom to ask. It may change while raters come."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from annotation_site.research.pages import page
from annotation_site.studies.about_form import AboutForm
from annotation_site.studies.about_form import about as told
from annotation_site.studies.access import study_to_run


@page("GET", "POST")
def about(request: HttpRequest, slug: str) -> HttpResponse:
    study = study_to_run(request, slug)
    form = AboutForm(request.POST or None, initial=told(study))
    if form.is_valid():
        form.store(study)
        messages.success(request, _("Stored: whoever opens the study from now on reads it."))
        return redirect("research-study", slug=slug)
    return render(request, "research/about.html", {"study": study, "form": form}, status=422 if form.errors else 200)
