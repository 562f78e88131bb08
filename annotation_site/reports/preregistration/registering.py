"""Registering a study: its content as it stands, frozen as text under the server's time and a hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from annotation_site.rating.models import Judgement
from annotation_site.reports.loading import snapshot
from annotation_site.reports.preregistration.canonical import canonical, plain, sha256
from annotation_site.reports.preregistration.collecting import content
from annotation_site.reports.preregistration.statements import tidy
from annotation_site.studies.models import Registration, Study

FORMAT = 1


def register(study: Study, statements: Mapping[str, str], *, by: str, now: datetime) -> tuple[Registration, bool]:
    """The study's next registration, and whether it is new: what is registered already is not registered twice.

    Raises ValueError for statements that cannot be stored.
    """
    said = tidy(statements)
    with snapshot():
        study.refresh_from_db()
        found = content(study)
    with transaction.atomic():
        # Two clicks at once: the second waits here, and then finds what the first has made. Raters go on joining.
        Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        newest = Registration.objects.of(study).order_by("-number").first()
        if newest is not None and _says(newest, said, found):
            return newest, False
        return _append(study, said, found, by=by, now=now), True


def _says(registration: Registration, statements: dict[str, str], found: dict[str, Any]) -> bool:
    document = document_of(registration)
    return bool(document["statements"] == statements and document["content"] == found)


def _append(study: Study, statements: dict[str, str], found: dict[str, Any], *, by: str, now: datetime) -> Registration:
    last = Registration.objects.of(study).aggregate(last=Max("number"))["last"] or 0
    people = answers_of_people(study)
    programs = Judgement.objects.filter(enrolment__study=study, enrolment__rater__simulated=True).count()
    text = canonical({
        "format": FORMAT,
        "registration": face(last + 1, now, people, programs),
        "statements": statements,
        "content": found,
    })  # fmt: skip
    return Registration.objects.create(
        study=study,
        number=last + 1,
        document=text,
        sha256=sha256(text),
        registered_at=now,
        registered_by=by,
        judgements=people,
    )


def answers_of_people(study: Study) -> int:
    """Every judgement stored of people, whatever became of it."""
    return Judgement.objects.of_people().filter(enrolment__study=study).count()


def face(number: int, now: datetime, people: int, programs: int) -> dict[str, Any]:
    """What a registration says of itself."""
    return {
        "number": number,
        "registered_at": plain(now),
        "judgements": people,
        "judgements_of_programs": programs,
        "before_data": people == 0,
        "said": face_text(people),
    }


def face_text(judgements: int) -> str:
    """Whether data was there when a study was registered, in words."""
    if not judgements:
        return "Registered before anybody had answered."
    were = "answer of people was" if judgements == 1 else "answers of people were"
    return f"Registered AFTER data existed: {judgements} {were} stored already."


def document_of(registration: Registration) -> dict[str, Any]:
    """What was registered, as plain values."""
    read: dict[str, Any] = json.loads(registration.document)
    return read
