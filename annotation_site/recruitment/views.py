"""A study's ways in: all of them, one with its settings, and its invitations. Without scripts."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Max, Min, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation_site.raters.models import Source
from annotation_site.raters.sources.invitations import make_batch, revoke
from annotation_site.raters.sources.presets import arrival_address
from annotation_site.recruitment import handouts
from annotation_site.recruitment.drafts import draft_of
from annotation_site.recruitment.forms import BatchForm, NewSourceForm, SourceForm
from annotation_site.recruitment.models import ProlificStudy
from annotation_site.recruitment.pages import for_those_who_run_it, site_of, source_or_404, with_numbers
from annotation_site.recruitment.submissions import counts
from annotation_site.studies.models import Study


@for_those_who_run_it
def overview(request: HttpRequest, study: Study) -> HttpResponse:
    form = NewSourceForm(request.POST or None, study=study)
    if request.method == "POST" and form.is_valid():
        form.made.save()
        if form.made.kind == Source.Kind.PROLIFIC:
            draft_of(form.made).save()
        return redirect("recruitment-source", slug=study.slug, name=form.made.name)
    sources = list(with_numbers(study.sources.all()))
    links = [(source, arrival_address(source, site_of(request))) for source in sources]
    context = {"study": study, "links": links, "form": form, "site": site_of(request)}
    return render(request, "recruitment/overview.html", context, status=422 if form.errors else 200)


@for_those_who_run_it
def source(request: HttpRequest, study: Study, name: str) -> HttpResponse:
    """One way in: its link, its settings, and what belongs to its kind."""
    shown = source_or_404(study, name)
    if "switch" in request.POST:
        return _switched(request, shown)
    form = SourceForm(request.POST or None, instance=shown)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("recruitment-source", slug=study.slug, name=name)
    return render(request, "recruitment/source.html", _page(request, shown, form), status=422 if form.errors else 200)


def _switched(request: HttpRequest, shown: Source) -> HttpResponse:
    """Close the way in, or open it again."""
    closed_at = timezone.now() if request.POST["switch"] == "close" else None
    Source.objects.filter(pk=shown.pk).update(closed_at=closed_at)
    messages.success(request, _("Nobody new comes in this way.") if closed_at else _("It is open again."))
    return redirect("recruitment-source", slug=shown.study.slug, name=shown.name)


def _page(request: HttpRequest, shown: Source, form: SourceForm, batch: BatchForm | None = None) -> dict[str, Any]:
    prolific = ProlificStudy.objects.filter(source=shown).first()
    return {
        "study": shown.study,
        "source": shown,
        "form": form,
        "link": arrival_address(shown, site_of(request)),
        "batch_form": batch or BatchForm(),
        "batches": _batches(shown),
        "prolific": prolific,
        "counts": counts(prolific) if prolific else [],
    }


def _batches(shown: Source) -> list[Any]:
    """Each batch with how many of it were used, and taken back."""
    rows = shown.invitations.values("batch").annotate(
        made=Count("pk"),
        used=Count("pk", filter=Q(enrolment__isnull=False)),
        revoked=Count("pk", filter=Q(revoked_at__isnull=False)),
        since=Min("created_at"),
        until=Max("expires_at"),
    )
    return list(rows.order_by("since"))


@for_those_who_run_it
def invitations(request: HttpRequest, study: Study, name: str) -> HttpResponse:
    """Make a batch, whose links are in this one answer and nowhere else; or take a batch back."""
    shown = source_or_404(study, name)
    if request.method != "POST" or shown.kind != Source.Kind.INVITATION:
        return redirect("recruitment-source", slug=study.slug, name=name)
    if "revoke" in request.POST:
        number = revoke(shown, batch=request.POST["revoke"], now=timezone.now())
        said = ngettext("%(number)d link was taken back.", "%(number)d links were taken back.", number)
        messages.success(request, said % {"number": number})
        return redirect("recruitment-source", slug=study.slug, name=name)
    form = BatchForm(request.POST)
    if not form.is_valid():
        return render(
            request, "recruitment/source.html", _page(request, shown, SourceForm(instance=shown), form), status=422
        )
    return _handed_out(request, shown, form)


def _handed_out(request: HttpRequest, shown: Source, form: BatchForm) -> HttpResponse:
    fields, site = form.cleaned_data, site_of(request)
    links = make_batch(shown, number=fields["number"], batch=fields["batch"], expires_at=form.expires_at())
    if fields["form"] == "csv":
        response = HttpResponse(handouts.table(links, fields["batch"], site), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{shown.study.slug}-{shown.name}-invitations.csv"'
        return response
    cards = [(link.number, link.address(site), *handouts.qr_path(link.address(site))) for link in links]
    context = {"study": shown.study, "cards": cards, "batch": fields["batch"], "until": form.expires_at()}
    return render(request, "recruitment/print.html", context)
