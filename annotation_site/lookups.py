"""Rows found by one value, with SQL that the ORM writes once for a process instead of at each request."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

M = TypeVar("M", bound=Model)


class Lookup(Generic[M]):
    """The row of ``rows()`` whose unique field ``by`` is the value asked for, with what it selects of related rows.

    For the few joins that every answer waits for: the ORM took longer to write one of five tables than the database to
    answer it. What is read is as fresh as a query's; only the statement and the way to read its rows are kept.
    """

    def __init__(self, rows: Callable[[], QuerySet[M]], *, by: str) -> None:
        self.rows, self.by = rows, by

    def first(self, value: int | str) -> M | None:
        """The row, or None."""
        with connection.cursor() as cursor:
            cursor.execute(self._written.statement, [value])
            row = cursor.fetchone()
        return None if row is None else self._written.made(row)

    def get(self, value: int | str) -> M:
        """The row; raises the model's DoesNotExist."""
        found = self.first(value)
        if found is None:
            model: Any = self.rows().model
            raise model.DoesNotExist(f"No {model.__name__} has {self.by} {value!r}.")
        return found

    @cached_property
    def _written(self) -> _Written[M]:
        # Any value will do to have its place written.
        return _Written(self.rows().filter(**{self.by: 0}).order_by())


class _Written(Generic[M]):
    """A statement and how its rows become objects, worked out as ModelIterable does at each query."""

    def __init__(self, rows: QuerySet[M]) -> None:
        compiler: Any = rows.query.get_compiler(connection=connection)
        self.statement, parameters = compiler.as_sql()
        if len(parameters) != 1:
            raise ValueError(f"Exactly one value may be left open, not {len(parameters)}: {self.statement}")
        fields = compiler.klass_info["select_fields"]
        self.model = compiler.klass_info["model"]
        self.columns = slice(fields[0], fields[-1] + 1)
        self.names = [selected[0].target.attname for selected in compiler.select[self.columns]]
        # The stubs are of a later Django, which asks for one argument more.
        self.populators = get_related_populators(compiler.klass_info, compiler.select, connection.alias)  # type: ignore[call-arg]
        self.converters = compiler.get_converters([selected[0] for selected in compiler.select])

    def made(self, row: tuple[Any, ...]) -> M:
        values = list(row)
        for place, (converters, expression) in self.converters.items():
            for convert in converters:
                values[place] = convert(values[place], expression, connection)
        made: M = self.model.from_db(connection.alias, self.names, values[self.columns])
        for populator in self.populators:
            populator.populate(values, made)
        return made
