"""What the finance office has paid."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from annotation_site.payments.forgetting import forget_paid
from annotation_site.payments.models import Batch
from annotation_site.payments.settling import FINANCE, lock, settle, waiting


class NothingToPay(Exception):
    """What was to be marked as paid is not what waits for payment; nothing was written."""


@transaction.atomic
def mark_paid(batch: Batch, *, total: int, reference: str, by: str, now: datetime) -> int:
    """Mark a batch as paid by the finance office; how many payments. Raises NothingToPay if ``total`` is another sum.

    Sent twice the second finds nothing to pay; after a rejection in between, what finance was given does not fit.
    """
    lock(batch.study)
    approvals = waiting(batch, FINANCE)
    if not approvals or sum(entry.amount for entry in approvals) != total:
        raise NothingToPay
    for approval in approvals:
        settle(approval, reference=reference, by=by, now=now)
    forget_paid(batch.study, [approval.enrolment_id for approval in approvals])
    return len(approvals)
