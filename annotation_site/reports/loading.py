"""A study's columns from the database: items, then every stored judgement in one query, streamed.

All judgements come from one query, so that a report's totals fit together however many answers arrive while it is
read. PostgreSQL sends them as fixed-width binary rows (COPY), which NumPy reads as they are.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Case, Count, F, IntegerField, QuerySet, SmallIntegerField, Value, When
from django.db.models.functions import Cast, Coalesce

from annotation_site.raters.models import Enrolment
from annotation_site.rating import checks
from annotation_site.rating.models import Judgement, Seat
from annotation_site.reports.data import (
    MISSING,
    NO_GROUP,
    OPT_OUTS,
    PRESENT,
    Column,
    Facts,
    Integers,
    ItemPacker,
    Items,
    Judgements,
    Rater,
    StudyData,
    in_order,
    pair_name,
)
from annotation_site.studies.models import Item, Study

CHUNK = 5000
COLUMNS = (
    "seat__item_id",
    "enrolment_id",
    "code",
    "revision",
    "current",
    "surplus",
    "spent",
    "shown_at",
    "answered_at",
)
# One row of COPY's binary format: its number of fields, then each field's length and bytes, all big-endian.
WIDTHS = {"seat__item_id": "i8", "enrolment_id": "i8", "code": "i2", "revision": "i2", "current": "?", "surplus": "?"}
WIDTHS |= {"spent": "i4", "shown_at": "i8", "answered_at": "i8"}
# One row of COPY's binary format: its number of fields, then each field's length and bytes, all big-endian.
FIELDS = [part for name, width in WIDTHS.items() for part in ((f"length of {name}", ">i4"), (name, f">{width}"))]
BINARY = np.dtype([("number of fields", ">i2"), *FIELDS])
HEADER = 19
# PostgreSQL counts microseconds from 2000.
POSTGRES_EPOCH = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
NATIVE = np.dtype(list(WIDTHS.items()))


def load(study: Study, *, only: str | None = None, position: int | None = None) -> StudyData:
    """The study as it stands; ``only`` one tag or condition of it, or the item at one ``position``, if given."""
    # Judgements first: whatever they name is there when it is looked up.
    wanted = rated_items(study, only, position)
    everything = only is None and position is None
    rows = _judgement_rows(study, None if everything else wanted)
    ids, items = _items(study, wanted)
    enrolments, raters = _raters(study)
    return StudyData(facts_of(study), items, raters, _judgements(rows, ids, enrolments))


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
    return "word__tag" if study.kind == Study.Kind.LIKERT else "condition"


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


def _judgement_rows(study: Study, wanted: QuerySet[Item] | None) -> Column:
    """Every judgement of the study as one structured array; those on checks are left out later, without a join."""
    stored = Judgement.objects.filter(seat__study=study)
    if wanted is not None:
        stored = stored.filter(seat__item__in=wanted.order_by())
    code = Case(
        When(rating__isnull=False, then=F("rating") - 1),
        *(When(opt_out=name, then=Value(code)) for name, code in OPT_OUTS.items()),
        *(
            When(first_present=first, second_present=second, then=Value(code))
            for code, (first, second) in enumerate(PRESENT)
        ),
        output_field=IntegerField(),
    )
    spent = Cast(Coalesce("browser_milliseconds", Value(MISSING)), IntegerField())
    rows = stored.order_by().annotate(code=Cast(code, SmallIntegerField()), spent=spent).values_list(*COLUMNS)
    return _copied(rows) if connection.vendor == "postgresql" else _fetched(rows)


def _fetched(rows: QuerySet[Any, tuple[Any, ...]]) -> Column:
    def native() -> Iterator[tuple[Any, ...]]:
        for *plain, shown, answered in rows.iterator(chunk_size=CHUNK):
            yield (*plain, microseconds(shown), microseconds(answered))

    return np.fromiter(native(), dtype=NATIVE)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exact."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def _copied(rows: QuerySet[Any, tuple[Any, ...]]) -> Column:
    sql, parameters = rows.query.sql_with_params()
    content = bytearray()
    with (
        connection.cursor() as cursor,
        cursor.cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT BINARY)", parameters) as copy,
    ):
        for block in copy:
            content += block
    rows_read = (len(content) - HEADER) // BINARY.itemsize
    return np.frombuffer(content, dtype=BINARY, offset=HEADER, count=rows_read)


def _judgements(rows: Column, ids: Integers, enrolments: Integers) -> Judgements:
    shift = POSTGRES_EPOCH if rows.dtype == BINARY else 0
    item = _places(rows["seat__item_id"], ids)
    rated = item != MISSING
    rows = rows[rated]
    return in_order(
        Judgements(
            item=item[rated],
            rater=_places(rows["enrolment_id"], enrolments),
            answer=rows["code"].astype(np.int8),
            revision=rows["revision"].astype(np.int16),
            current=rows["current"].astype(np.bool_),
            surplus=rows["surplus"].astype(np.bool_),
            milliseconds=rows["spent"].astype(np.int32),
            shown=rows["shown_at"].astype(np.int64) + shift,
            at=rows["answered_at"].astype(np.int64) + shift,
        )
    )


def _places(wanted: Column, ids: Integers) -> Column:
    """Where each wanted id stands among the ids, which come in any order; MISSING where it does not."""
    if not len(ids):
        return np.full(len(wanted), MISSING, dtype=np.int32)
    order = np.argsort(ids)
    found = order[np.searchsorted(ids, wanted, sorter=order).clip(max=len(ids) - 1)]
    return np.where(ids[found] == wanted, found, MISSING).astype(np.int32)
