"""A confirmed batch: its rows, the file for the finance office, and that they have paid it. And the whole ledger."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation_site import audit
from annotation_site.payments.finance import NothingToPay, mark_paid
from annotation_site.payments.forms import PaidForm
from annotation_site.payments.models import Batch, Entry
from annotation_site.payments.money import plain
from annotation_site.payments.settling import FINANCE, waiting
from annotation_site.payments.views import payers_only
from annotation_site.raters import identities
from annotation_site.rating.assignment import database_now
from annotation_site.studies.models import Study


@payers_only("GET")
def batch(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    return _page(request, get_object_or_404(Batch, study=study, number=number))


def _page(request: HttpRequest, shown: Batch, form: PaidForm | None = None) -> HttpResponse:
    entries = shown.entries.filter(kind=Entry.Kind.APPROVAL, reverses__isnull=True)
    rows = list(
        entries.select_related("enrolment__rater", "settled_by", "reversed_by", "errand").order_by(
            "enrolment__rater__pseudonym"
        )
    )
    for_finance = waiting(shown, FINANCE)
    context = {
        "study": shown.study,
        "batch": shown,
        "rows": rows,
        "currency": rows[0].currency if rows else "",
        "total": sum(row.amount for row in rows if not hasattr(row, "reversed_by")),
        "for_finance": len(for_finance),
        "finance_total": sum(entry.amount for entry in for_finance),
        "with_ids": identities.Identity.objects.filter(
            kind=PERSON, enrolment__in=[entry.enrolment_id for entry in for_finance]
        ).exists(),
        "any_finance": any(row.way == FINANCE for row in rows),
        "form": form,
    }
    return render(request, "payments/batch.html", context, status=422 if form else 200)


@payers_only("POST")
def paid(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Mark what finance was given as paid, all of it or nothing."""
    shown, form = get_object_or_404(Batch, study=study, number=number), PaidForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, form)
    by = request.user.get_username()
    try:
        count = mark_paid(shown, **form.cleaned_data, by=by, now=database_now())
    except NothingToPay:
        messages.warning(request, _("Nothing was marked: this batch is paid already, or is no longer what was shown."))
    else:
        text = ngettext("One payment is marked as paid.", "%(number)d payments are marked as paid.", count)
        messages.success(request, text % {"number": count})
    return redirect("pay-batch", slug=study.slug, number=number)


@payers_only("GET", "POST")
def finance(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """What waits for the finance office in this batch, as CSV; posted, with the ids by which the raters came."""
    shown = get_object_or_404(Batch, study=study, number=number)
    entries = waiting(shown, FINANCE)
    name, rows = f"{study.slug}-batch-{number}", [finance_row(entry) for entry in entries]
    if request.method != "POST":
        return _csv(f"{name}.csv", FINANCE_COLUMNS, rows)
    audit.note(shown, "downloaded with the raters' ids")
    ids = [{"id": identities.reveal(entry.enrolment, PERSON) or ""} for entry in entries]
    named = [row | person for row, person in zip(rows, ids, strict=True)]
    return _csv(f"{name}-with-ids.csv", (*FINANCE_COLUMNS, "id"), named)


PERSON = "person"
FINANCE_COLUMNS = ("rater", "amount", "currency", "payment", "batch", "approved_by", "approved_at")


def finance_row(entry: Entry) -> dict[str, Any]:
    """A payment for the finance office: by pseudonym; ``payment`` names it for ever, so that none is booked twice."""
    return {
        "rater": entry.enrolment.rater.pseudonym,
        "amount": plain(entry.amount, entry.currency),
        "currency": entry.currency,
        "payment": str(entry.key),
        "batch": f"{entry.study.slug}-{entry.batch.number if entry.batch else ''}",
        "approved_by": entry.by,
        "approved_at": entry.at.isoformat(),
    }


@payers_only("GET")
def ledger(request: HttpRequest, study: Study) -> HttpResponse:
    """Every row of the study's ledger, oldest first; a balance is the sum of its rows."""
    entries = Entry.objects.filter(study=study).select_related("enrolment__rater", "batch", "scheme")
    return _csv(f"{study.slug}-ledger.csv", LEDGER_COLUMNS, map(_ledger_row, entries))


LEDGER_COLUMNS = (
    "entry", "at", "rater", "kind", "amount", "currency", "scheme", "batch", "settles", "reverses", "way", "reference",
    "reason", "by",
)  # fmt: skip


def _ledger_row(entry: Entry) -> dict[str, Any]:
    return {
        "entry": entry.pk,
        "at": entry.at.isoformat(),
        "rater": entry.enrolment.rater.pseudonym,
        "kind": entry.kind,
        "amount": plain(entry.amount, entry.currency),
        "currency": entry.currency,
        "scheme": entry.scheme.version if entry.scheme else "",
        "batch": entry.batch.number if entry.batch else "",
        "settles": entry.settles_id or "",
        "reverses": entry.reverses_id or "",
        "way": entry.way,
        "reference": entry.reference,
        "reason": entry.reason,
        "by": entry.by,
    }


def _csv(name: str, columns: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.DictWriter(response, columns)
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return response


def _harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is quoted by an apostrophe."""
    if isinstance(value, str) and value[:1] in {"=", "+", "@", "\t", "\r"}:
        return f"'{value}"
    return value
