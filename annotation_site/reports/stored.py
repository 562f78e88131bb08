"""A study's stored judgements as columns, in one query, a block at a time.

All come from one query, so that a report's totals fit together however many answers arrive while it is read; answers of
raters who joined after the raters were read are left out with them. PostgreSQL sends fixed-width binary rows (COPY),
which NumPy reads as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Case, F, IntegerField, QuerySet, SmallIntegerField, Value, When
from django.db.models.functions import Cast, Coalesce

from annotation_site.rating.models import Judgement
from annotation_site.reports.data import CHANGES, MISSING, OPT_OUTS, PRESENT, Column, Integers, Judgements, in_order
from annotation_site.studies.models import Item, Study

CHUNK = 5000
BLOCK = 50_000
WIDTHS = {"seat__item_id": "i8", "enrolment_id": "i8", "code": "i2", "revision": "i2", "current": "?", "surplus": "?"}
WIDTHS |= {"spent": "i4", "shown_at": "i8", "answered_at": "i8"}
COLUMNS = tuple(WIDTHS)
# One row of COPY's binary format: its number of fields, then each field's length and bytes, all big-endian.
FIELDS = [part for name, width in WIDTHS.items() for part in ((f"length of {name}", ">i4"), (name, f">{width}"))]
BINARY = np.dtype([("number of fields", ">i2"), *FIELDS])
HEADER = 19
# With PostgreSQL's usual 4 MB, joining a million judgements with their seats goes through files.
JOIN_MEMORY = "128MB"
# PostgreSQL counts microseconds from 2000.
POSTGRES_EPOCH = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
NATIVE = np.dtype(list(WIDTHS.items()))
# What is kept of a row, by the name of its column.
KEPT = {"item": "i4", "rater": "i4", "answer": "i1", "revision": "i2", "current": "?", "surplus": "?"}
KEPT |= {"milliseconds": "i4", "shown": "i8", "at": "i8"}


def judgements(study: Study, wanted: QuerySet[Item] | None, ids: Integers, enrolments: Integers) -> Judgements:
    """Every judgement on the items with these ``ids`` (I,) by these ``enrolments`` (R,); their places are its codes.

    ``wanted`` narrows the query where it is not all of the study's items.
    """
    rows = _query(study, wanted)
    blocks = _copied(rows) if connection.vendor == "postgresql" else _fetched(rows)
    kept: dict[str, list[Column]] = {name: [] for name in KEPT}
    by_item, by_enrolment = np.argsort(ids), np.argsort(enrolments)
    for block in blocks:
        for name, column in _columns(block, (ids, by_item), (enrolments, by_enrolment)).items():
            kept[name].append(column)
    return in_order(Judgements(**{name: _joined(kept.pop(name), KEPT[name]) for name in list(kept)}))


def _query(study: Study, wanted: QuerySet[Item] | None) -> QuerySet[Any, tuple[Any, ...]]:
    """Those on checks come along: leaving them out later costs less than another join."""
    stored = Judgement.objects.filter(seat__study=study)
    if wanted is not None:
        stored = stored.filter(seat__item__in=wanted.order_by())
    code = Case(
        When(rating__isnull=False, then=F("rating") - 1),
        *(When(change=name, then=Value(code)) for code, name in enumerate(CHANGES)),
        *(When(opt_out=name, then=Value(code)) for name, code in OPT_OUTS.items()),
        *(
            When(first_present=first, second_present=second, then=Value(code))
            for code, (first, second) in enumerate(PRESENT)
        ),
        output_field=IntegerField(),
    )
    spent = Cast(Coalesce("browser_milliseconds", Value(MISSING)), IntegerField())
    rows = stored.order_by().annotate(code=Cast(code, SmallIntegerField()), spent=spent)
    return rows.values_list(*COLUMNS)


def _fetched(rows: QuerySet[Any, tuple[Any, ...]]) -> Iterator[Column]:
    stream = (
        (*plain, microseconds(shown), microseconds(answered))
        for *plain, shown, answered in rows.iterator(chunk_size=CHUNK)
    )
    while block := list(islice(stream, BLOCK)):
        yield np.array(block, dtype=NATIVE)


def _copied(rows: QuerySet[Any, tuple[Any, ...]]) -> Iterator[Column]:
    sql, parameters = rows.query.sql_with_params()
    with (
        transaction.atomic(savepoint=False),
        _with_memory() as cursor,
        cursor.cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT BINARY)", parameters) as copy,
    ):
        content, start = bytearray(), HEADER
        for piece in copy:
            content += piece
            if len(content) >= BLOCK * BINARY.itemsize:
                number = (len(content) - start) // BINARY.itemsize
                yield np.frombuffer(bytes(content), dtype=BINARY, offset=start, count=number)
                content, start = content[start + number * BINARY.itemsize :], 0
        # The two bytes of the trailer are less than a row.
        yield np.frombuffer(bytes(content), BINARY, offset=start, count=(len(content) - start) // BINARY.itemsize)


@contextmanager
def _with_memory() -> Iterator[CursorWrapper]:
    """A cursor of which each query may use JOIN_MEMORY; until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', %s, true)", [JOIN_MEMORY])
        yield cursor


def _columns(rows: Column, items: tuple[Integers, Column], raters: tuple[Integers, Column]) -> dict[str, Column]:
    shift = POSTGRES_EPOCH if rows.dtype == BINARY else 0
    item, rater = _places(rows["seat__item_id"], *items), _places(rows["enrolment_id"], *raters)
    known = (item != MISSING) & (rater != MISSING)
    columns = {
        "item": item,
        "rater": rater,
        "answer": rows["code"],
        "revision": rows["revision"],
        "current": rows["current"],
        "surplus": rows["surplus"],
        "milliseconds": rows["spent"],
        "shown": rows["shown_at"] + shift,
        "at": rows["answered_at"] + shift,
    }
    return {name: column[known].astype(KEPT[name]) for name, column in columns.items()}


def _joined(parts: list[Column], width: str) -> Column:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=width)


def _places(wanted: Column, ids: Integers, order: Column) -> Column:
    """Where each wanted id stands among the ids, which come in any order; MISSING where it does not."""
    if not len(ids):
        return np.full(len(wanted), MISSING)
    found = order[np.searchsorted(ids, wanted, sorter=order).clip(max=len(ids) - 1)]
    return np.where(ids[found] == wanted, found, MISSING)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exact."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds
