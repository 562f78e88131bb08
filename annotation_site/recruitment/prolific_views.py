"""The study at Prolific: the draft and what would be sent, creating, publishing, pausing, and who took part."""

from __future__ import annotations

import json
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from annotation_site.raters.models import Source
from annotation_site.rating.assignment import database_now
from annotation_site.recruitment import drafts
from annotation_site.recruitment.client import Prolific, connect
from annotation_site.recruitment.errors import RecruitmentError
from annotation_site.recruitment.forms import ProlificForm
from annotation_site.recruitment.models import Action, ProlificStudy
from annotation_site.recruitment.pages import for_those_who_run_it, site_of, source_or_404
from annotation_site.recruitment.submissions import counts, sync
from annotation_site.studies.models import Study


@for_those_who_run_it
def study(request: HttpRequest, study: Study, name: str) -> HttpResponse:
    source = source_or_404(study, name)
    if source.kind != Source.Kind.PROLIFIC:
        raise Http404(_("This way in is not Prolific."))
    there = ProlificStudy.objects.filter(source=source).first() or drafts.draft_of(source)
    there.source = source
    step = request.POST.get("step", "")
    if step and there.pk:
        _take(request, there, step)
        return redirect("recruitment-prolific", slug=study.slug, name=name)
    form = ProlificForm(request.POST or None, instance=there)
    if request.method == "POST" and not there.prolific_id and form.is_valid():
        form.save()
        messages.success(request, _("Saved. Nothing was sent."))
        return redirect("recruitment-prolific", slug=study.slug, name=name)
    return render(request, "recruitment/prolific.html", _page(request, there, form), status=422 if form.errors else 200)


def _page(request: HttpRequest, there: ProlificStudy, form: ProlificForm) -> dict[str, object]:
    # What was sent with an error is in the form alone; the rest of the page shows what is stored.
    stored = ProlificStudy.objects.get(pk=there.pk) if form.errors and there.pk else there
    steps = [(step, step in {"publish", "start"}) for step in drafts.MOVES.get(stored.status, {})]
    return {
        "study": stored.source.study,
        "source": stored.source,
        "prolific": stored,
        "form": form,
        "sent": json.dumps(drafts.payload(stored, site_of(request)), indent=2, ensure_ascii=False),
        "codes": [(outcome.label, code) for outcome, code in drafts.by_outcome(stored).items()],
        "cost": stored.reward * stored.places / 100,
        "hourly": stored.reward * 60 / stored.minutes / 100,
        "steps": steps,
        "counts": counts(stored) if stored.pk else [],
        "unclear": _unclear(stored),
        "has_token": bool(settings.PROLIFIC_TOKEN),
        "open_at": f"https://app.prolific.com/researcher/workspaces/studies/{stored.prolific_id}",
        "hook": site_of(request) + reverse("prolific-hook"),
        "has_secret": bool(settings.PROLIFIC_WEBHOOK_SECRET),
    }


def _unclear(stored: ProlificStudy) -> int:
    """How many payments nobody knows the fate of."""
    return Action.objects.filter(submission__prolific_study=stored.pk, state=Action.State.UNCLEAR).count()


def _take(request: HttpRequest, there: ProlificStudy, step: str) -> None:
    """One step at Prolific; a problem is said on the page."""
    now = database_now()
    try:
        with connect() as api:
            messages.success(request, _done(there, step, api, site_of(request), now))
    except RecruitmentError as problem:
        messages.error(request, str(problem))


def _done(there: ProlificStudy, step: str, api: Prolific, site: str, now: datetime) -> str:
    if step == "create":
        drafts.create(there, api, site=site, now=now)
        return _("The draft is at Prolific. Look at it there, then publish it.")
    if step == "sync":
        drafts.look(there, api, now=now)
        return _("%(number)d submissions were read.") % {"number": sync(there, api, now=now)}
    drafts.move(there, step, api, now=now)
    return _("At Prolific the study is %(status)s now.") % {"status": there.status}
