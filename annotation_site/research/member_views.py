"""Who runs and who reads a study; and a study once more, as a new draft."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation_site.research.pages import page, require_creator
from annotation_site.studies.access import may_run, study_to_run, study_to_see
from annotation_site.studies.copying import copy_study
from annotation_site.studies.members import Member, add_member, remove_member
from annotation_site.studies.models import Study


class MemberForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Account"), max_length=254, help_text=gettext_lazy("Its name, or its e-mail address.")
    )
    role = forms.ChoiceField(
        label=gettext_lazy("Part"), choices=Member.Role.choices, initial=Member.Role.VIEWER, widget=forms.RadioSelect
    )


@page("GET", "POST")
def members(request: HttpRequest, slug: str) -> HttpResponse:
    study = study_to_run(request, slug)
    form = MemberForm(request.POST or None)
    if form.is_valid() and _added(study, form):
        messages.success(request, _("Their part in the study is stored."))
        return redirect("research-members", slug=slug)
    context = {"study": study, "form": form, "members": study.members.select_related("user")}
    return render(request, "research/members.html", context, status=422 if form.errors else 200)


def _added(study: Study, form: MemberForm) -> bool:
    try:
        add_member(study, **form.cleaned_data)
    except ValidationError as error:
        form.add_error("name", error)
        return False
    return True


@page("POST")
def remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    study = study_to_run(request, slug)
    try:
        remove_member(study, pk)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("They have no part in the study any more."))
    still = may_run(request, study)
    return redirect("research-members", slug=slug) if still else redirect("research-home")


class CopyForm(forms.Form):
    title = forms.CharField(label=gettext_lazy("Title"), max_length=200, help_text=gettext_lazy("Raters read it."))
    slug = forms.SlugField(label=gettext_lazy("Name in addresses"), max_length=50)
    items = forms.ChoiceField(
        label=gettext_lazy("What is copied"),
        choices=[
            ("with", gettext_lazy("Settings, texts, consent, and all items over the same images")),
            ("without", gettext_lazy("Settings, texts and consent alone")),
        ],
        initial="with",
        widget=forms.RadioSelect,
    )


@page("GET", "POST")
def copy(request: HttpRequest, slug: str) -> HttpResponse:
    """A copy of any study that one may see, run by who copies it."""
    require_creator(request)
    study = study_to_see(request, slug)
    initial = {"title": study.title, "slug": _free_slug(study.slug)}
    form = CopyForm(request.POST or None, initial=initial)
    if form.is_valid():
        made = _copied(request, study, form)
        if made is not None:
            messages.success(
                request, _("A draft like “%(title)s”, without its raters and answers.") % {"title": study.title}
            )
            return redirect("research-study", slug=made.slug)
    return render(request, "research/copy.html", {"study": study, "form": form}, status=422 if form.errors else 200)


def _copied(request: HttpRequest, study: Study, form: CopyForm) -> Study | None:
    given: dict[str, Any] = form.cleaned_data
    try:
        return copy_study(
            study,
            slug=given["slug"],
            title=given["title"],
            owner=request.user,  # type: ignore[arg-type]
            with_items=given["items"] == "with",
        )
    except ValidationError as error:
        for name, texts in error.message_dict.items():
            form.add_error(name if name in form.fields else None, texts)
        return None


def _free_slug(slug: str) -> str:
    """``paper-2``, or the first number after it that is free."""
    taken = set(Study.objects.filter(slug__startswith=slug[:44]).values_list("slug", flat=True))
    return next(name for number in range(2, len(taken) + 3) if (name := f"{slug[:44]}-{number}") not in taken)
