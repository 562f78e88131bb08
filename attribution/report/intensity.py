"""The report on attribution intensity: how much of the image the words of each part of speech mark."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from attribution.analysis.intensity import Intensity, TagRow, measure
from attribution.analysis.overlap import PAPER, Threshold
from attribution.generations import Reader, StoredGeneration
from attribution.report.figures import lines, nothing, points, spoken
from attribution.report.page import Drawing, Report
from attribution.report.tables import Column, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = (
    Column("tag", "tag"),
    Column("words", "words", "count"),
    Column("images", "images", "count"),
    Column("area", "marked share of the image", "share"),
    Column("empty", "empty maps", "share"),
)
NOTE = "Percent; in brackets 95% bootstrap intervals that resample whole prompts. An empty map has an area of 0."


@dataclass
class IntensityJob:
    """Job ``intensity``."""

    threshold: Threshold = PAPER
    seed: int = 0
    kind: str = "intensity"
    total: Intensity = field(init=False)

    def __post_init__(self) -> None:
        self.total = Intensity(self.seed)

    @property
    def settings(self) -> dict[str, Any]:
        return {"threshold": self.threshold.label}

    def measure(self, generation: StoredGeneration) -> dict[str, Any]:
        masks = self.threshold.masks(generation.word_maps, generation.maps.steps)
        return measure(generation.prompt.words, generation.places, masks)

    def add(self, name: str, prompt: str, record: dict[str, Any]) -> None:
        self.total.add(prompt, record)

    def report(self, reader: Reader) -> Report:
        rows = self.total.rows()
        table = Table(
            "rows", "Marked share of the image by part of speech", COLUMNS, [_cells(row) for row in rows], NOTE
        )
        text = [
            "How much of the image the hard map of a word marks, by its Universal POS tag.",
            f"{self.total.without_map:,} words have no map (past the encoder's cut, or not traced) and are left out.",
        ]
        facts = {"threshold": self.threshold.label, "bootstrap seed": str(self.seed)}
        return Report("Attribution intensity", facts, text, [table], _drawing(rows))


def _cells(row: TagRow) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in COLUMNS}


def _drawing(rows: list[TagRow]) -> Drawing:
    found = [row for row in rows if row.words]
    parts = ", ".join(f"{row.tag} {spoken(row.area)}" for row in found)
    said = f"Mean marked share of the image in percent by tag: {parts}." if found else "No words."
    return Drawing(partial(_draw, rows=found), (6.0, 1.2 + 0.26 * max(4, len(found))), said)


def _draw(figure: Figure, rows: list[TagRow]) -> None:
    if not rows:
        nothing(figure, "No word has a map.")
        return
    axes = figure.subplots()
    points(axes, [row.area for row in rows])
    lines(axes, [f"{row.tag}  n={row.words:,}" for row in rows])
    axes.set(xlabel="percent of the image", xlim=(0, None))
