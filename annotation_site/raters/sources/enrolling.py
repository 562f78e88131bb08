"""From an arrival to an enrolment: the same person by the same link is the same rater, and a cap holds."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from annotation_site.raters import identities
from annotation_site.raters.consent import Consent
from annotation_site.raters.external import BY_WAY_IN, external_hash
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.raters.source_rows import Source
from annotation_site.raters.sources.kinds import Arrival, kind_of
from annotation_site.studies.models import Study


class NotTaken(Exception):
    """Nobody new is let in by this source: it is full, or was closed."""


def find_arrival(source: Source, arrival: Arrival) -> Enrolment | None:
    """The enrolment of somebody who came before by this id, on whatever device."""
    if not arrival.person:
        return None
    known = Enrolment.objects.filter(study=source.study_id, external_hash=_hash(source, arrival))
    return known.select_related("study", "rater", "arrived_by").first()


def _hash(source: Source, arrival: Arrival) -> str:
    if not arrival.person:
        return ""
    # Neither a kind nor a namespace has a colon in it, so that no two of these read alike.
    person = f"{source.kind}:{kind_of(source).namespace(source)}:{arrival.person}"
    return external_hash(source.study, person, BY_WAY_IN)


def is_full(source: Source) -> bool:
    """Whether nobody new can be taken in: by the cap, or because no place of the study is left."""
    if source.closed_at is not None or (source.cap is not None and _last_place(source) >= source.cap):
        return True
    return not has_places(source.study)


def has_places(study: Study) -> bool:
    """Whether a judgement is still wanted. State by state, for each has an index of its own."""
    return any(study.seats.filter(state=state).exists() for state in ("free", "leased", "pending"))


def _last_place(source: Source) -> int:
    return source.enrolments.aggregate(last=Max("place"))["last"] or 0


def enrol_arrival(
    source: Source, arrival: Arrival, consent: Consent, *, rater: Rater | None = None, locale: str, now: datetime
) -> Enrolment:
    """Take in a person who has just agreed; who is in the study already stays as they are.

    ``rater`` is whom the browser remembers, for sources that give no id. Raises NotTaken at the cap.
    """
    try:
        with transaction.atomic():
            return _enrol(source, arrival, consent, rater=rater, locale=locale, now=now)
    except IntegrityError:
        # The same person came by two sources at once: the row that is there decides, all of this was rolled back.
        known = find_arrival(source, arrival) or Enrolment.objects.filter(study=source.study_id, rater=rater).first()
        if known is None:
            raise
        return known


def _enrol(
    source: Source, arrival: Arrival, consent: Consent, *, rater: Rater | None, locale: str, now: datetime
) -> Enrolment:
    # One at a time through each source, so that its places are counted right; a constraint numbers them as well.
    source = Source.objects.select_for_update(of=("self",)).select_related("study").get(pk=source.pk)
    known = find_arrival(source, arrival)
    if known is None:
        place = _last_place(source) + 1
        if source.closed_at is not None or (source.cap is not None and place > source.cap):
            raise NotTaken(f"{source.name} of {source.study.slug} takes nobody new in.")
        known = Enrolment.objects.create(
            rater=rater or Rater.objects.create(),
            study=source.study,
            arrived_by=source,
            place=place,
            source=source.kind,
            external_hash=_hash(source, arrival),
            locale=locale,
            consent_version=consent.version,
            consent_text=consent.row,
            consented_at=now,
        )
    keep(known, arrival, now)
    return known


def keep(enrolment: Enrolment, arrival: Arrival, now: datetime) -> None:
    """Keep the ids by which the rater is paid and led back, apart from everything else, and what the kind keeps."""
    if enrolment.arrived_by is None:
        return
    if enrolment.arrived_by.kind != Source.Kind.INVITATION and identities.wanted(enrolment):
        for kind, value in vars(arrival).items():
            if value:
                identities.store(enrolment, kind, value)
    kind_of(enrolment.arrived_by).enrolled(enrolment, arrival, now)
