"""Who is told of a study by e-mail, from which numbers on, and what was noticed in it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from annotation_site.alerts.models import Bounds, Notice, Subscription
from annotation_site.alerts.sending import mail_leaves
from annotation_site.rating.assignment import database_now
from annotation_site.research.pages import page
from annotation_site.studies.access import may_run, study_to_run, study_to_see
from annotation_site.studies.models import Study

SHOWN = 20


class BoundsForm(forms.ModelForm):
    class Meta:
        model = Bounds
        fields = ["agreement_below", "agreement_answers", "failures_percent", "failures_raters", "stuck_minutes"]
        widgets = dict.fromkeys(fields, forms.TextInput(attrs={"inputmode": "decimal", "class": "short"}))


@page("GET", "POST")
def alerts(request: HttpRequest, slug: str) -> HttpResponse:
    """GET shows it to all members; POST stores the bounds, for those who run the study."""
    study = study_to_see(request, slug) if request.method != "POST" else study_to_run(request, slug)
    bounds = Bounds.objects.filter(study=study).first() or Bounds(study=study)
    form = BoundsForm(request.POST or None, instance=bounds)
    if form.is_valid():
        # By its study: another click, or the beat's first look, may have made the row meanwhile.
        anew = {**form.cleaned_data, "seen_answers": None}
        Bounds.objects.update_or_create(study=study, defaults=anew)
        messages.success(request, _("The bounds are stored, and hold from the next minute on."))
        return redirect("research-alerts", slug=slug)
    return render(request, "research/alerts.html", _page(request, study, form), status=422 if form.errors else 200)


def _page(request: HttpRequest, study: Study, form: BoundsForm) -> dict[str, Any]:
    mine = Subscription.objects.filter(study=study, user=request.user.pk).first()
    to_me = Notice.objects.filter(subscription=mine) if mine else Notice.objects.none()
    noticed = study.alerts.prefetch_related(Prefetch("notices", queryset=to_me, to_attr="to_me"))
    return {
        "study": study,
        "form": form,
        "may_run": may_run(request, study),
        "told": mine is not None and mine.muted_at is None,
        "noticed": noticed[:SHOWN],
        "mail_leaves": mail_leaves(),
    }


def _account(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - for the type checker: the page is for people with an account
    return request.user


@page("POST")
def mine(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for mails of the study, or for no more of them."""
    study, now = study_to_see(request, slug), database_now()
    if request.POST.get("want") == "no":
        for subscription in Subscription.objects.filter(study=study, user=request.user.pk):
            subscription.mute(now)
        messages.success(request, _("You get no more mails of this study."))
    elif not _account(request).email:
        messages.error(request, _("Your account has no e-mail address: ask an administrator to give it one."))
    else:
        asked = {"locale": get_language() or "", "muted_at": None}
        Subscription.objects.update_or_create(study=study, user=_account(request), defaults=asked)
        messages.success(request, _("You will be told by e-mail when the study needs you."))
    return redirect("research-alerts", slug=slug)
