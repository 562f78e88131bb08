"""What people decide about one rater: hold, reject, release, give a bonus, take back. Each with a reason."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from annotation_site.payments import queue
from annotation_site.payments.accounts import accounts, ledgers, schemes_of
from annotation_site.payments.models import Entry
from annotation_site.payments.payers import PaymentRefused, payer_of
from annotation_site.payments.settling import FINANCE, NOBODY, PANEL, lock, paid_by
from annotation_site.raters.models import Enrolment

Kind = Entry.Kind


class Refused(Exception):
    """The decision does not fit what stands; the message says why. Nothing was written."""


@transaction.atomic
def hold(enrolment: Enrolment, *, reason: str, by: str, now: datetime) -> Entry:
    """Pay nothing more until the rater is released; what was approved and not sent is taken back."""
    lock(enrolment.study)
    _take_back_approvals(enrolment, reason, by, now)
    return _decide(Kind.HOLD, enrolment, reason, by, now)


@transaction.atomic
def reject(enrolment: Enrolment, *, reason: str, by: str, now: datetime) -> Entry:
    """Pay this rater nothing more, and have their source's payer told; what was paid stays paid."""
    lock(enrolment.study)
    _check_rejection(enrolment, reason)
    _take_back_approvals(enrolment, reason, by, now)
    entry = _decide(Kind.REJECTION, enrolment, reason, by, now)
    if entry.way not in {FINANCE, PANEL, NOBODY}:
        queue.send(entry, now=now)
        transaction.on_commit(queue.ring)
    return entry


def _check_rejection(enrolment: Enrolment, reason: str) -> None:
    """By the rules of whoever is to be told."""
    payer = payer_of(paid_by(enrolment))
    try:
        if payer is not None:
            payer.check_rejection(enrolment, reason)
    except PaymentRefused as refusal:
        raise Refused(str(refusal)) from refusal


@transaction.atomic
def release(enrolment: Enrolment, *, reason: str, by: str, now: datetime) -> Entry:
    """Take back a hold or a rejection, unless the payer may have been told of the rejection."""
    lock(enrolment.study)
    decision = _decision(enrolment)
    if decision is None or decision.kind == Kind.RELEASE:
        raise Refused(_("This rater is neither held back nor rejected."))
    if decision.kind == Kind.REJECTION and not queue.take_back(decision):
        raise Refused(_("The payer was told of the rejection, and takes back none: pay this rater another way."))
    return _decide(Kind.RELEASE, enrolment, reason, by, now)


@transaction.atomic
def bonus(enrolment: Enrolment, *, amount: int, reason: str, by: str, now: datetime) -> Entry:
    """Owe a rater more than the scheme says; it is approved and paid like the rest."""
    lock(enrolment.study)
    if enrolment.rater.simulated:
        raise Refused(_("This is a simulated rater, who is never paid."))
    if any(account.way == NOBODY for account in accounts(enrolment.study, only=[enrolment.pk])):
        raise Refused(
            _(
                "Nobody pays raters who came this way: first say who does, in the settings of the way in or the pay "
                "scheme."
            )
        )
    return _write(Kind.BONUS, enrolment, reason, by, now, amount=amount)


@transaction.atomic
def take_back(entry: Entry, *, reason: str, by: str, now: datetime) -> None:
    """Reverse a bonus, an approval that was not paid, or a payment that came back: then its approval too."""
    lock(entry.study)
    entry.refresh_from_db()
    if entry.reverses_id is not None or Entry.objects.filter(reverses=entry).exists():
        raise Refused(_("This entry was taken back already, or takes one back itself."))
    if entry.kind == Kind.PAYMENT and entry.settles is not None:
        _reverse(entry, reason, by, now)
        _reverse_approval(entry.settles, reason, by, now)
    elif entry.kind == Kind.APPROVAL:
        _take_back_approval(entry, reason, by, now)
    elif entry.kind == Kind.BONUS:
        _reverse(entry, reason, by, now)
    else:
        raise Refused(_("Only a bonus, an approval or a payment can be taken back."))


def _take_back_approvals(enrolment: Enrolment, reason: str, by: str, now: datetime) -> None:
    for approval in Entry.objects.unpaid().filter(enrolment=enrolment):
        _take_back_approval(approval, reason, by, now)


def _take_back_approval(approval: Entry, reason: str, by: str, now: datetime) -> None:
    if Entry.objects.filter(settles=approval).exists():
        raise Refused(_("This was paid: take back the payment, once the money has come back."))
    if not queue.take_back(approval):
        raise Refused(_("The payer was told already, and has not answered yet: it may have been paid. Wait for it."))
    _reverse_approval(approval, reason, by, now)


def _reverse_approval(approval: Entry, reason: str, by: str, now: datetime) -> None:
    """With what was written as earned when it was approved, so that the next approval counts it anew."""
    earned = Entry.objects.filter(enrolment=approval.enrolment, batch=approval.batch, kind=Kind.ACCRUAL)
    for entry in [approval, *earned.filter(reverses__isnull=True, reversed_by__isnull=True)]:
        _reverse(entry, reason, by, now)


def _reverse(entry: Entry, reason: str, by: str, now: datetime) -> None:
    more = {"amount": -entry.amount, "reverses": entry, "batch": entry.batch, "scheme": entry.scheme, "way": entry.way}
    _write(Kind(entry.kind), entry.enrolment, reason, by, now, **more)


def _decide(kind: Entry.Kind, enrolment: Enrolment, reason: str, by: str, now: datetime) -> Entry:
    decision = _decision(enrolment)
    if decision is not None and decision.kind == kind:
        raise Refused(_("That was decided already: %(reason)s") % {"reason": decision.reason})
    return _write(kind, enrolment, reason, by, now, way=paid_by(enrolment))


def _decision(enrolment: Enrolment) -> Entry | None:
    mine = ledgers(Enrolment.objects.filter(pk=enrolment.pk)).get(enrolment.pk)
    return mine.decision if mine else None


def _write(kind: Entry.Kind, enrolment: Enrolment, reason: str, by: str, now: datetime, **more: object) -> Entry:
    if not reason.strip():
        raise Refused(_("Write down a reason: the rater, or a successor, may ask for it."))
    schemes = schemes_of(enrolment.study)
    if not schemes:
        raise Refused(_("The study has no pay scheme: make one first."))
    return Entry.objects.create(
        study=enrolment.study,
        enrolment=enrolment,
        kind=kind,
        currency=schemes[-1].currency,
        reason=reason.strip(),
        at=now,
        by=by,
        **more,
    )
