"""What the finance office has paid, and forgetting whom they paid once nothing more is owed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from annotation_site.payments.accounts import accounts
from annotation_site.payments.models import Batch
from annotation_site.payments.settling import FINANCE, lock, settle, waiting
from annotation_site.raters import identities
from annotation_site.studies.models import Study


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
    _forget_ids(batch.study, [approval.enrolment_id for approval in approvals])
    return len(approvals)


def _forget_ids(study: Study, enrolments: Iterable[int]) -> None:
    """Forget by which ids these raters are paid, unless they are owed more or can still earn it."""
    for account in accounts(study, only=enrolments):
        if account.ended and not account.owed:
            identities.forget(account.enrolment)
