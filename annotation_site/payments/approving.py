"""Approving payments in bulk: a preview, and a confirmation that holds for exactly the rows that it showed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from annotation_site.payments import queue
from annotation_site.payments.accounts import Account, accounts
from annotation_site.payments.forgetting import forget_paid
from annotation_site.payments.models import Batch, Entry, Errand
from annotation_site.payments.payers import ByPanel
from annotation_site.payments.settling import FINANCE, PANEL, lock, settle
from annotation_site.studies.models import Study


class Changed(Exception):
    """What would be paid is no longer what was shown; nothing was approved."""


@dataclass(frozen=True)
class Preview:
    """The raters who would be paid, and a hash of what makes up each amount."""

    rows: tuple[Account, ...]
    digest: str

    @property
    def total(self) -> int:
        return sum(row.to_approve for row in self.rows)


def preview(study: Study, wanted: Iterable[int]) -> Preview:
    """What approving these enrolments would pay; those with nothing to approve, held or rejected are left out."""
    rows = tuple(account for account in accounts(study, only=wanted) if account.to_approve)
    return Preview(rows, _digest(study, rows))


def _digest(study: Study, rows: tuple[Account, ...]) -> str:
    shown = sorted(
        [
            row.enrolment.pk,
            row.to_approve,
            row.earned.scheme.pk,
            # The last entry: the same amount after a reversal is another approval.
            row.ledger.last,
            [[part.what, part.number, part.amount] for part in row.earned.parts],
        ]
        for row in rows
    )
    return hashlib.sha256(json.dumps([study.pk, shown]).encode()).hexdigest()


@transaction.atomic
def approve(study: Study, wanted: Iterable[int], digest: str, *, by: str, now: datetime) -> Batch:
    """Approve what the preview of this digest showed. Confirmed twice it is one batch. Raises Changed."""
    lock(study)
    known = Batch.objects.filter(study=study, digest=digest).first()
    if known is not None:
        return known
    shown = preview(study, wanted)
    if shown.digest != digest or not shown.rows:
        raise Changed
    last = Batch.objects.filter(study=study).aggregate(last=Max("number"))["last"] or 0
    batch = Batch.objects.create(study=study, number=last + 1, digest=digest, made_at=now, made_by=by)
    for row in shown.rows:
        _approve(row, batch)
    forget_paid(study, [row.enrolment.pk for row in shown.rows if row.way == PANEL])
    if Errand.objects.filter(entry__batch=batch).exists():
        transaction.on_commit(queue.ring)
    return batch


def _approve(row: Account, batch: Batch) -> None:
    """Write down what was earned, and that it may be paid; hand it to whoever pays this rater."""
    scheme, parts = row.earned.scheme, [part.as_dict() for part in row.earned.parts]
    common = {
        "study": batch.study,
        "enrolment": row.enrolment,
        "currency": scheme.currency,
        "scheme": scheme,
        "batch": batch,
        "at": batch.made_at,
        "by": batch.made_by,
    }
    if row.to_accrue:
        Entry.objects.create(kind=Entry.Kind.ACCRUAL, amount=row.to_accrue, details=parts, **common)
    way = row.way
    approval = Entry.objects.create(kind=Entry.Kind.APPROVAL, amount=row.to_approve, details=parts, way=way, **common)
    if way == PANEL:
        (outcome,) = ByPanel().pay([queue.line_of(approval)])
        settle(approval, reference=outcome.reference, by=batch.made_by, now=batch.made_at)
    elif way != FINANCE:
        queue.send(approval, now=batch.made_at)
