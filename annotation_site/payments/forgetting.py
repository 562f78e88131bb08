"""Forgetting the ids by which raters came, once nobody is to be paid or led back by them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from annotation_site.guarded import guarded
from annotation_site.payments.accounts import accounts, schemes_of
from annotation_site.payments.models import Entry
from annotation_site.payments.settling import NOBODY, PANEL, lock, paid_by
from annotation_site.raters import identities
from annotation_site.raters.models import Enrolment
from annotation_site.studies.changes import StateChange
from annotation_site.studies.models import Study

# Who was at the end just when the study closed may still go back by their id.
WAY_BACK = timedelta(days=1)


def forget_paid(study: Study, enrolments: Iterable[int]) -> None:
    """Forget the ids of these raters, unless they are owed more or can still earn it."""
    for account in accounts(study, only=enrolments):
        if account.ended and not account.owed:
            identities.forget(account.enrolment)


def is_settled(enrolment: Enrolment) -> bool:
    """Whether the rater was paid, and is owed nothing more."""
    paid = Entry.objects.filter(enrolment=enrolment, kind=Entry.Kind.PAYMENT).exists()
    return paid and not any(account.owed for account in accounts(enrolment.study, only=[enrolment.pk]))


def sweep(now: datetime) -> int:
    """Forget the ids of all in closed studies who are owed nothing, paid or not; how many raters that were."""
    closed = StateChange.objects.filter(state=Study.State.CLOSED, at__lt=now - WAY_BACK)
    studies = Study.objects.filter(pk__in=closed.values("study"), enrolments__identities__isnull=False).distinct()
    failure = "The ids of raters of study {} could not be forgotten."
    return sum(guarded(failure.format(study.slug), partial(_forget_in, study)) or 0 for study in studies)


@transaction.atomic
def _forget_in(study: Study) -> int:
    lock(study)
    known = list(
        Enrolment.objects.filter(study=study, identities__isnull=False).distinct().select_related("arrived_by")
    )
    if schemes_of(study):
        owed = {each.enrolment.pk for each in accounts(study, only=[row.pk for row in known]) if each.owed}
    else:
        # What they are owed is still to be said.
        owed = {row.pk for row in known if paid_by(row) not in (PANEL, NOBODY)}
    return sum(bool(identities.forget(row)) for row in known if row.pk not in owed)
