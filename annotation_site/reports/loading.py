"""A study's columns from the database: items, raters, and judgements (:mod:`annotation_site.reports.stored`)."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, QuerySet

from annotation_site.raters.models import Enrolment
from annotation_site.rating import checks
from annotation_site.rating.models import Seat
from annotation_site.reports.data import (
    NO_GROUP,
    Facts,
    Integers,
    ItemPacker,
    Items,
    Rater,
    StudyData,
    pair_name,
)
from annotation_site.reports.stored import CHUNK, judgements
from annotation_site.studies.models import Item, Study


def load(study: Study, *, only: str | None = None, position: int | None = None) -> StudyData:
    """The study as it stands; ``only`` one tag or condition of it, or the item at one ``position``, if given."""
    wanted = rated_items(study, only, position)
    everything = only is None and position is None
    ids, items = _items(study, wanted)
    enrolments, raters = _raters(study)
    return StudyData(facts_of(study), items, raters, judgements(study, None if everything else wanted, ids, enrolments))


@contextmanager
def snapshot() -> Iterator[None]:
    """Everything read within is of one moment, however many answers arrive meanwhile."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def facts_of(study: Study) -> Facts:
    return Facts(
        slug=study.slug,
        title=study.title,
        kind=study.kind,
        state=study.state,
        raters_an_item=study.seats_per_item,
        interpretable_minimum=study.interpretable_minimum,
        cap=study.cap,
        rules=tuple(study.exclusion_rules),
        adaptive={"stages": study.adaptive_stages, "spread": study.adaptive_spread} if study.adaptive_stages else {},
    )


def group_field(study: Study) -> str:
    """Where an item keeps what its study's rows are grouped by."""
    if study.kind == Study.Kind.LIKERT:
        return "word__tag"
    return "swap_set" if study.kind == Study.Kind.CHANGE else "condition"


def rated_items(study: Study, only: str | None = None, position: int | None = None) -> QuerySet[Item]:
    """Items that a report is about, withdrawn ones too, by position."""
    items = Item.objects.filter(study=study, purpose=Item.Purpose.RATED).order_by("position")
    if position is not None:
        items = items.filter(position=position)
    return items if only is None else items.filter(**{group_field(study): "" if only == NO_GROUP else only})


def places_of(study: Study) -> dict[int, int]:
    """How many answers an item asks for, by its id, where it is not what the study asks of each."""
    if not study.adaptive_stages:
        return {}
    seats = Seat.objects.filter(study=study, item__purpose=Item.Purpose.RATED).order_by()
    return dict(seats.values_list("item").annotate(Count("pk")))


def _items(study: Study, wanted: QuerySet[Item]) -> tuple[Integers, Items]:
    """The items' ids and columns, by position."""
    fields = (
        "pk",
        "position",
        "generation_id",
        group_field(study),
        "arm",
        "word__text",
        "word__start",
        "second_word__text",
    )
    packer, ids, places = ItemPacker(), array("q"), places_of(study)
    rows = wanted.values_list(*fields, "withdrawn_at")
    for pk, position, image, group, arm, first, start, second, withdrawn_at in rows.iterator(chunk_size=CHUNK):
        ids.append(pk)
        packer.add(
            position=position,
            image=image,
            group=group,
            arm=arm,
            pair=pair_name(first, second or ""),
            target=start,
            places=places.get(pk, study.seats_per_item),
            withdrawn=withdrawn_at is not None,
        )
    return np.array(ids, dtype=np.int64), packer.packed()


def _raters(study: Study) -> tuple[Integers, tuple[Rater, ...]]:
    """The enrolments' ids and raters, by pseudonym."""
    rows = sorted((rater.pseudonym, pk, rater) for pk, rater in raters_of(study).items())
    return np.array([pk for _, pk, _ in rows], dtype=np.int64), tuple(rater for _, _, rater in rows)


def raters_of(study: Study) -> dict[int, Rater]:
    """The study's raters by the id of their enrolment."""
    passed: Counter[tuple[int, bool | None]] = Counter()
    for result in checks.judged(checks.answered().filter(seat__study=study)):
        passed[result.judgement.enrolment_id, result.passed] += 1
    fields = ("pk", "rater__pseudonym", "rater__simulated", "excluded_at", "exclusion_reason")
    return {
        pk: Rater(name, simulated, reason if at else "", passed[pk, True], passed[pk, False])
        for pk, name, simulated, at, reason in Enrolment.objects.filter(study=study).values_list(*fields)
    }
