"""One rater's money: what it is made of, every row of the ledger, and what a person can decide."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from annotation_site.payments import deciding, queue
from annotation_site.payments.accounts import accounts, schemes_of
from annotation_site.payments.forms import BonusForm, ReasonForm
from annotation_site.payments.models import Entry
from annotation_site.payments.views import payers_only
from annotation_site.raters.models import Enrolment
from annotation_site.rating.assignment import database_now
from annotation_site.studies.models import Study

DECISIONS = {"hold": deciding.hold, "reject": deciding.reject, "release": deciding.release}


@payers_only("GET")
def rater(request: HttpRequest, study: Study, pseudonym: str) -> HttpResponse:
    enrolment = _enrolment(study, pseudonym)
    schemes = schemes_of(study)
    found = accounts(study, only=[enrolment.pk])
    entries = Entry.objects.filter(enrolment=enrolment).order_by("-id")
    context = {
        "study": study,
        "enrolment": enrolment,
        "account": found[0] if found else None,
        "scheme": schemes[-1] if schemes else None,
        "entries": entries.select_related("batch", "errand", "reversed_by", "settled_by", "reverses"),
    }
    return render(request, "payments/rater.html", context)


@payers_only("POST")
def decide(request: HttpRequest, study: Study, pseudonym: str, what: str) -> HttpResponse:
    """Hold, reject, release, or give a bonus."""
    enrolment = _enrolment(study, pseudonym)
    if what not in {*DECISIONS, "bonus"}:
        raise Http404(f"There is no decision “{what}”.")
    schemes = schemes_of(study)
    form = (
        BonusForm(schemes[-1].currency if schemes else "USD", request.POST)
        if what == "bonus"
        else ReasonForm(request.POST)
    )
    if form.is_valid():
        act = deciding.bonus if what == "bonus" else DECISIONS[what]
        _try(request, lambda: act(enrolment, **form.cleaned_data, **_who(request)))
    else:
        _tell_problems(request, form)
    return redirect("pay-rater", slug=study.slug, pseudonym=pseudonym)


@payers_only("POST")
def take_back(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    entry = get_object_or_404(Entry.objects.select_related("enrolment__rater", "study"), study=study, pk=pk)
    form = ReasonForm(request.POST)
    if form.is_valid():
        _try(request, lambda: deciding.take_back(entry, **form.cleaned_data, **_who(request)))
    else:
        _tell_problems(request, form)
    return redirect("pay-rater", slug=study.slug, pseudonym=entry.enrolment.rater.pseudonym)


@payers_only("POST")
def try_again(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    entry = get_object_or_404(Entry.objects.select_related("enrolment__rater"), study=study, pk=pk)
    if queue.try_again(entry, now=database_now()):
        messages.success(request, _("The payer is asked once more."))
        queue.ring()
    else:
        messages.info(request, _("There is nothing to try again."))
    return redirect("pay-rater", slug=study.slug, pseudonym=entry.enrolment.rater.pseudonym)


def _tell_problems(request: HttpRequest, form: ReasonForm) -> None:
    messages.error(request, "; ".join(str(text) for texts in form.errors.values() for text in texts))


def _try(request: HttpRequest, act: Any) -> None:
    try:
        act()
        messages.success(request, _("It is written in the ledger."))
    except deciding.Refused as error:
        messages.error(request, str(error))


def _who(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user.get_username(), "now": database_now()}


def _enrolment(study: Study, pseudonym: str) -> Enrolment:
    people = Enrolment.objects.filter(study=study).select_related("rater", "study")
    return get_object_or_404(people, rater__pseudonym=pseudonym)
