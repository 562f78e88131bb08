"""Who pays a rater, and writing down that approvals were paid."""

from __future__ import annotations

from datetime import datetime

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
    return Entry.objects.create(
        study=approval.study,
        enrolment=approval.enrolment,
        kind=Entry.Kind.PAYMENT,
        amount=approval.amount,
        currency=approval.currency,
        scheme=approval.scheme,
        batch=approval.batch,
        settles=approval,
        way=approval.way,
        reference=reference,
        at=now,
        by=by,
    )


def waiting(batch: Batch, way: str) -> list[Entry]:
    """The batch's approvals that are to be paid this way and were not yet, by pseudonym."""
    entries = Entry.objects.unpaid().filter(batch=batch, way=way)
    return list(
        entries.select_related("enrolment__rater", "study", "batch", "scheme").order_by("enrolment__rater__pseudonym")
    )
