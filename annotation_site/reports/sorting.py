"""Order of a table's rows, chosen by the address: ``?sort=mean`` ascending, ``?sort=-mean`` descending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from annotation_site.reports.measures import Measure, Share


@dataclass(frozen=True)
class Column:
    """A table's head: the field it sorts by (empty: none), its name, and what it means."""

    name: str
    label: str
    meaning: str


LIKERT_COLUMNS = (
    Column("tag", "Tag", "Universal part of speech of the target word"),
    Column("pairs", "Pairs", "word-prompt pairs in use"),
    Column("judgements", "Judgements", "counted answers, opt-outs included"),
    Column("dropped", "Dropped", "pairs that a rater called too abstract"),
    Column("unscored", "Unscored", "pairs that wait for answers, or have too few ratings"),
    Column("scored", "Scored", "pairs with a median"),
    Column("mean", "Mean of medians", "with its 95% interval over images"),
    Column("median", "Median", "of the pairs' medians"),
    Column("fair_answers", "Fair to excellent, answers", "of ratings on pairs not dropped"),
    Column("fair_medians", "Fair to excellent, medians", "of scored pairs, with Wilson's 95% interval"),
    Column("alpha", "Ordinal alpha", "Krippendorff's, of ratings on pairs not dropped, with its 95% interval"),
    Column("too_abstract_rate", "Too abstract", "share of counted answers"),
    Column("interpretable", "Interpretable", "whether enough pairs keep a score"),
    Column("", "The paper", "mean opinion score; judgements from fair to excellent"),
)
PRESENCE_COLUMNS = (
    Column("condition", "Condition", "whether the two nouns share a hypernym"),
    Column("images", "Images", "in use"),
    Column("judgements", "Judgements", "counted answers, opt-outs included"),
    Column("unscored", "Unscored", "images that wait for answers, or have too few"),
    Column("scored", "Scored", "images whose raters decide"),
    Column("right", "Right, images", "more than half of the raters saw both, with Wilson's 95% interval"),
    Column("right_answers", "Right, answers", "single answers that saw both"),
    Column("alpha", "Alpha (MASI)", "Krippendorff's, on sets of nouns, with its 95% interval"),
    Column("paper", "The paper", "share of images that are right"),
)
CHANGE_COLUMNS = (
    Column("swap_set", "Swap set", "the adjectives, the first one first, and their noun"),
    Column("pairs", "Pairs", "pairs of images in use"),
    Column("judgements", "Judgements", "counted answers, opt-outs included"),
    Column("unscored", "Unscored", "pairs that wait for answers, or have too few"),
    Column("scored", "Scored", "pairs whose raters decide"),
    Column("background_changed", "Background changed", "more than half said background or both, Wilson's 95% interval"),
    Column("alpha", "Nominal alpha", "Krippendorff's, of the four answers, with its 95% interval"),
)
COLUMNS = {"likert": LIKERT_COLUMNS, "presence": PRESENCE_COLUMNS, "change": CHANGE_COLUMNS}


@dataclass(frozen=True)
class Sorted:
    """Rows in order; ``column`` is empty for the order they came in."""

    rows: list[Any]
    column: str = ""
    descending: bool = False

    def heads(self, columns: Sequence[Column]) -> list[tuple[Column, str, str]]:
        """Each column with its ``aria-sort`` and what a click on it asks for: numbers from the top first."""
        return [(column, self._direction(column), self._next(column)) for column in columns]

    def _direction(self, column: Column) -> str:
        if not column.name or column.name != self.column:
            return ""
        return "descending" if self.descending else "ascending"

    def _next(self, column: Column) -> str:
        if column.name == self.column:
            return column.name if self.descending else f"-{column.name}"
        return column.name if column.name in {"tag", "condition", "swap_set"} else f"-{column.name}"


def sorted_rows(rows: Sequence[Any], wanted: str) -> Sorted:
    """Rows by one of their fields, undefined ones last either way; an unknown field changes nothing."""
    column, descending = wanted.removeprefix("-"), wanted.startswith("-")
    if not rows or not column or not hasattr(rows[0], column) or column.startswith("_"):
        return Sorted(list(rows))
    known = [row for row in rows if _number(getattr(row, column)) is not None]
    unknown = [row for row in rows if _number(getattr(row, column)) is None]
    known.sort(key=lambda row: _number(getattr(row, column)), reverse=descending)
    return Sorted(known + unknown, column, descending)


def _number(value: object) -> Any:
    return value.value if isinstance(value, Measure | Share) else value
