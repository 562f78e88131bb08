"""Raters that another system knows by an id of its own: the id itself is never stored."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from annotation_site.raters.consent import Consent
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.studies.models import Study

# What anybody may write to the API, and what a way in has made out, never mean the same person.
BY_API, BY_WAY_IN = "attest.raters.external-id", "attest.raters.way-in"


def external_hash(study: Study, external_id: str, salt: str = BY_API) -> str:
    """A hash keyed by SECRET_KEY and the study: equal ids in two studies cannot be linked, nor any id be read."""
    return salted_hmac(salt, f"{study.pk}:{external_id}", algorithm="sha256").hexdigest()


def find_external(study: Study, external_id: str) -> Enrolment | None:
    """The enrolment of this id in the study, with its study and rater."""
    known = Enrolment.objects.filter(study=study, external_hash=external_hash(study, external_id))
    return known.select_related("study", "rater").first()


def enrol_external(
    study: Study, external_id: str, consent: Consent, *, locale: str, now: datetime, source: str
) -> tuple[Enrolment, bool]:
    """Take a person who has just agreed into the study; True if they are new, else they stay as they are.

    An empty ``external_id`` is always somebody new.
    """
    agreed = {"consent_version": consent.version, "consent_text": consent.row, "consented_at": now}
    hashed = external_hash(study, external_id) if external_id else ""
    try:
        with transaction.atomic():
            rater = Rater.objects.create()
            enrolment = Enrolment.objects.create(
                rater=rater, study=study, external_hash=hashed, source=source, locale=locale, **agreed
            )
            return enrolment, True
    except IntegrityError:
        # Asked twice at once, or again: the row that is there decides, and the new rater was rolled back.
        known = find_external(study, external_id) if external_id else None
        if known is None:
            raise
        return known, False
