"""The report on cohyponyms: how much the maps of two nouns overlap, by condition and by people's answers."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from attribution.analysis.cohyponyms import Cohyponyms, ConditionRow, TestRow, measure
from attribution.analysis.intervals import Estimate
from attribution.analysis.overlap import PAPER, Threshold
from attribution.errors import AnalysisError, WordError
from attribution.generations import Reader, StoredGeneration
from attribution.ontology import Ontology
from attribution.report.figures import lines, nothing, points, spoken
from attribution.report.page import Drawing, Report
from attribution.report.published import COHYPONYMS, OTHERS
from attribution.report.tables import Cell, Column, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = (
    Column("group", "images of"),
    Column("images", "images", "count"),
    Column("iou", "mIoU of the two nouns", "share"),
    Column("empty", "with an empty map", "share"),
)
TESTS = (
    Column("what", "compared"),
    Column("first", "first"),
    Column("second", "less second"),
    Column("difference", "difference", "points"),
    Column("p_value", "p", "number"),
)
NOTE = "Percent; in brackets 95% bootstrap intervals that resample whole prompts. An empty map overlaps with nothing."
TEST_NOTE = (
    "Points of percent. p values are two-sided and permute whole prompts; of shares, the interval is cluster-robust. "
    f"The paper: {COHYPONYMS}% right for cohyponyms against {OTHERS}% for others, and more overlap for cohyponyms."
)


@dataclass
class CohyponymsJob:
    """Job ``cohyponyms``; ``answers`` has, by generation, whether people found both nouns in the image."""

    ontology: Ontology
    threshold: Threshold = PAPER
    answers: Mapping[str, bool] = field(default_factory=dict)
    seed: int = 0
    kind: str = "cohyponyms"
    total: Cohyponyms = field(init=False)

    def __post_init__(self) -> None:
        self.total = Cohyponyms(self.answers, self.seed)

    @property
    def settings(self) -> dict[str, Any]:
        return {"threshold": self.threshold.label, "ontology": dict(self.ontology.groups)}

    def measure(self, generation: StoredGeneration) -> dict[str, Any]:
        nouns = self.ontology.nouns_in(generation.prompt.text)
        if nouns is None:
            return {"condition": ""}
        (first, *one), (second, *two) = nouns
        record: dict[str, Any] = {"condition": self.ontology.condition(first, second)}
        try:
            maps = [generation.maps.word(start, end).values for start, end in (one, two)]
        except WordError:
            return record
        return record | measure(np.stack(maps), self.threshold, generation.maps.steps)

    def add(self, name: str, prompt: str, record: dict[str, Any]) -> None:
        self.total.add(name, prompt, record)

    def report(self, reader: Reader) -> Report:
        rows, tests = self.total.rows(), self.total.tests()
        text = [
            "How much the heat maps of two nouns overlap in images of prompts “a(n) X and a(n) Y”, for nouns that "
            f"share a hypernym and for others. People's answers are known of {self.total.answered:,} images.",
            f"Left out: {self.total.other_prompts:,} images of other prompts, or of nouns in no group; "
            f"{self.total.without_map:,} images in which a noun has no map.",
        ]
        groups: list[dict[str, Cell]] = [
            {"group": name, "nouns": ", ".join(nouns), "above": ", ".join(self.ontology.hypernyms.get(name, ())) or "-"}
            for name, nouns in self.ontology.groups.items()
        ]
        above = (Column("group", "group"), Column("nouns", "nouns"), Column("above", "hypernyms, nearest first"))
        tables = [
            Table("rows", "Overlap of the two nouns' maps", COLUMNS, [_row(row) for row in rows], NOTE),
            Table("tests", "Comparisons", TESTS, [_test(row) for row in tests], TEST_NOTE),
            Table("ontology", "Cohyponyms", above, groups),
        ]
        facts = {"threshold": self.threshold.label, "bootstrap seed": str(self.seed)}
        return Report("Cohyponym entanglement", facts, text, tables, _drawing(rows))


def read_answers(path: Path) -> dict[str, bool]:
    """People's answers from a CSV file with the columns ``generation`` (its folder's path) and ``right`` (1 or 0).

    Raises AnalysisError naming the line of a missing column or another value.
    """
    try:
        rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
        if not {"generation", "right"} <= set(rows.fieldnames or ()):
            raise AnalysisError(f"{path}: the columns generation and right are needed, not {rows.fieldnames}")
        return {str(row["generation"]): _yes(row["right"], f"{path}, line {rows.line_num}") for row in rows}
    except (OSError, UnicodeError, csv.Error) as error:
        raise AnalysisError(f"{path} cannot be read as CSV: {error}") from error


def _yes(value: str | None, place: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if str(value).strip().lower() not in known:
        raise AnalysisError(f"{place}: right is {value!r}: write 1 or 0")
    return known[str(value).strip().lower()]


def _row(row: ConditionRow) -> dict[str, Any]:
    return {"group": row.group, "images": row.images, "iou": row.iou, "empty": row.empty}


def _test(row: TestRow) -> dict[str, Any]:
    p_value: float | Estimate = row.p_value
    if math.isnan(row.p_value):
        p_value = Estimate.undefined(row.difference.reason or "one prompt in a group")
    return {name: getattr(row, name) for name in ("what", "first", "second", "difference")} | {"p_value": p_value}


def _drawing(rows: list[ConditionRow]) -> Drawing:
    found = [row for row in rows if row.images]
    said = ", ".join(f"{row.group} {spoken(row.iou)}" for row in found)
    text = f"Mean IoU of the two nouns' maps in percent: {said}." if found else "No images of two nouns."
    return Drawing(partial(_draw, rows=found), (6.4, 1.2 + 0.3 * max(3, len(found))), text)


def _draw(figure: Figure, rows: list[ConditionRow]) -> None:
    if not rows:
        nothing(figure, "No image of a prompt with two nouns of the ontology.")
        return
    axes = figure.subplots()
    points(axes, [row.iou for row in rows])
    lines(axes, [f"{row.group}  n={row.images:,}" for row in rows])
    axes.set(xlabel="mean IoU of the two nouns' maps, percent", xlim=(0, None))
