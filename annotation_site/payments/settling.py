"""Who pays a rater, and writing down that approvals were paid."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from annotation_site.payments.models import Batch, Entry, PayScheme
from annotation_site.raters.models import Enrolment, Source
from annotation_site.studies.models import Study

FINANCE, PANEL, NOBODY = Source.PaidBy.CODE.value, Source.PaidBy.OUTSIDE.value, Source.PaidBy.NONE.value


def paid_by(enrolment: Enrolment) -> str:
    """As the rater's source says; our finance office pays those who came by none."""
    return enrolment.arrived_by.paid_by if enrolment.arrived_by else FINANCE


def way_of(scheme: PayScheme, enrolment: Enrolment) -> str:
    """Who pays this rater, in a source's words; where the scheme says who pays everyone, the source is not asked."""
    return scheme.by or paid_by(enrolment)


def lock(study: Study) -> None:
    """Let nobody else move this study's money until the transaction ends."""
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)


def settle(approval: Entry, *, reference: str, by: str, now: datetime) -> Entry:
    """Write the payment of an approval. The database refuses a second one, and one of an approval taken back."""
    paid = {"amount": approval.amount, "settles": approval, "reference": reference}
    return _after(approval, Entry.Kind.PAYMENT, by=by, at=now, **paid)


def settle_part(approval: Entry, amount: int, *, reference: str, reason: str, now: datetime) -> Entry:
    """Write that so much of an approval was paid and no more will be: it is taken back, and a smaller one is paid."""
    _after(approval, Entry.Kind.APPROVAL, amount=-approval.amount, reverses=approval, reason=reason, at=now)
    part = _after(approval, Entry.Kind.APPROVAL, amount=amount, reason=reason, at=now)
    return settle(part, reference=reference, by="", now=now)


def _after(approval: Entry, kind: Entry.Kind, **fields: Any) -> Entry:
    """An entry that follows from an approval."""
    same = ("study", "enrolment", "currency", "scheme", "batch", "way")
    return Entry.objects.create(kind=kind, **{name: getattr(approval, name) for name in same}, **fields)


def waiting(batch: Batch, way: str) -> list[Entry]:
    """The batch's approvals that are to be paid this way and were not yet, by pseudonym."""
    entries = Entry.objects.unpaid().filter(batch=batch, way=way)
    return list(
        entries.select_related("enrolment__rater", "study", "batch", "scheme").order_by("enrolment__rater__pseudonym")
    )
