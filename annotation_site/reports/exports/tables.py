"""Tables written as they come: each block of rows goes to CSV and Parquet, and is forgotten."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from annotation_site.reports.exports.columns import Field, schema
from annotation_site.reports.formats import defused

BLOCK = 10_000
Row = Sequence[Any]


class Table:
    """``data/NAME.parquet`` and ``NAME.csv`` with the same rows in the same order; use it in a ``with``."""

    def __init__(self, folder: Path, name: str, fields: tuple[Field, ...]) -> None:
        self._schema, self._block = schema(fields), list[Row]()
        (folder / "data").mkdir(exist_ok=True)
        self._parquet = pq.ParquetWriter(folder / "data" / f"{name}.parquet", self._schema, compression="zstd")
        # Opened for as long as the table: closed in __exit__.
        self._file = (folder / f"{name}.csv").open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, lineterminator="\r\n")
        self._csv.writerow(field.name for field in fields)

    def __enter__(self) -> Table:
        return self

    def add(self, row: Row) -> None:
        self._block.append(row)
        if len(self._block) >= BLOCK:
            self._write()

    def _write(self) -> None:
        columns = [list(column) for column in zip(*self._block, strict=True)]
        arrays = [pa.array(column, type=field.type) for column, field in zip(columns, self._schema, strict=True)]
        self._parquet.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._csv.writerows([as_cell(cell) for cell in row] for row in self._block)
        self._block = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None and self._block:
                self._write()
        finally:
            self._parquet.close()
            self._file.close()


def as_cell(value: Any) -> Any:
    """A value for CSV: nothing is empty, truth is true or false, times are ISO 8601 in UTC, formulas are defused."""
    if isinstance(value, str):
        return defused(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return as_text(value) if isinstance(value, datetime) else value


def as_text(moment: datetime) -> str:
    """``2026-11-03T09:30:00.123456Z``."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
