"""The report on object attribution: DAAM at three thresholds beside segmenters and the whole image, with a sweep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from attribution.analysis.objects import COCO, TAUS, MethodRow, Objects, scores
from attribution.errors import AnalysisError
from attribution.generations import Reader, StoredGeneration
from attribution.maps.resize import bicubic
from attribution.report.figures import GREY, INK, legend, nothing, spoken
from attribution.report.page import Drawing, Report
from attribution.report.published import OBJECTS
from attribution.report.tables import Column, Table
from attribution.segmentation.base import Segmenter
from attribution.segmentation.coco import CLASSES, SYNONYMS, Noun, nouns_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from attribution.analysis.intervals import Estimate

METHODS = (
    Column("method", "method"),
    Column("coco", "mIoU80", "share"),
    Column("all", "mIoU-infinity", "share"),
    Column("over_whole", "over the whole image, all nouns", "points"),
    Column("paper", "the paper, over both prompt sets"),
)
NOUNS = (
    Column("noun", "noun or COCO class"),
    Column("nouns", "nouns", "count"),
    Column("images", "images", "count"),
    Column("daam", "DAAM 0.4", "share"),
    Column("whole", "whole image", "share"),
)
CURVE = (Column("tau", "tau", "number"), Column("coco", "mIoU80", "share"), Column("all", "mIoU-infinity", "share"))
MAP = (Column("coco", "COCO class"), Column("nouns", "nouns that mean it, beside its own name and its plural"))
NOTE = (
    "Percent; in brackets 95% bootstrap intervals that resample whole prompts. One value is one noun of one image; "
    "nouns said twice are one, with the mean of their maps. A segmenter that marks nothing for a noun scores 0 on it."
)

_DASHES: tuple[Any, ...] = (":", "-.", (0, (1, 4)), (0, (6, 2)))


@dataclass
class ObjectsJob:
    """Job ``objects``: ``truth`` gives the masks that all are compared with, ``compared`` are further methods."""

    truth: Segmenter
    compared: Sequence[Segmenter] = ()
    seed: int = 0
    kind: str = "objects"
    total: Objects = field(init=False)

    def __post_init__(self) -> None:
        names = [segmenter.name for segmenter in self.compared]
        if len(set(names)) < len(names):
            raise AnalysisError(f"compared twice: {', '.join(sorted(names))}; name each segmenter once")
        self.total = Objects([segmenter.name for segmenter in self.compared], self.seed)

    @property
    def settings(self) -> dict[str, Any]:
        return {"truth": self.truth.name, "compared": [segmenter.name for segmenter in self.compared]}

    def measure(self, generation: StoredGeneration) -> dict[str, Any]:
        nouns = nouns_of(generation.prompt.words)
        mapped = [noun for noun in nouns if any(word in generation.places for word in noun.words)]
        image = generation.image()
        names = [noun.name for noun in mapped]
        truth = self.truth.masks(image, names, generation=generation.name) if names else {}
        seen = [noun for noun in mapped if noun.name in truth]
        others = {one.name: one.masks(image, list(truth), generation=generation.name) for one in self.compared if seen}
        found = []
        for noun in seen:
            values = _map_of(noun, generation, (image.height, image.width))
            compared = {name: masks.get(noun.name) for name, masks in others.items()}
            found.append([noun.name, noun.coco, scores(values, truth[noun.name], compared)])
        return {"nouns": found, "unseen": len(mapped) - len(seen), "without_map": len(nouns) - len(mapped)}

    def add(self, name: str, prompt: str, record: dict[str, Any]) -> None:
        self.total.add(prompt, record)

    def report(self, reader: Reader) -> Report:
        rows, curve = self.total.rows(), self.total.sweep()
        text = [
            f"How well the hard maps of nouns cover what {self.truth.name} marks for them, in {self.total.images:,} "
            "images. The whole image is the baseline that knows nothing.",
            f"Left out: {self.total.unseen:,} nouns for which {self.truth.name} marks nothing, "
            f"{self.total.without_map:,} nouns without a map (past the text encoder's cut, or not traced).",
        ]
        tables = [
            Table("rows", "Mean intersection over union", METHODS, [_method_cells(row) for row in rows], NOTE),
            Table(
                "sweep",
                "DAAM by threshold",
                CURVE,
                [{"tau": t, "coco": c, "all": a} for t, c, a in curve],
                _best(curve),
            ),
            Table(
                "nouns",
                "By noun, the most frequent first",
                NOUNS,
                [_cells(row, NOUNS) for row in self.total.noun_rows()],
            ),
            Table("coco", "Which nouns count as COCO's 80 classes", MAP, _coco_rows()),
        ]
        facts = {"truth": self.truth.name, "compared": ", ".join(one.name for one in self.compared) or "-"}
        return Report(
            "Object attribution", facts | {"bootstrap seed": str(self.seed)}, text, tables, _drawing(curve, rows)
        )


def _map_of(noun: Noun, generation: StoredGeneration, shape: tuple[int, int]) -> Any:
    """The mean of the noun's words' maps at the image's size, bicubic, not negative."""
    rows = [generation.places[word] for word in noun.words if word in generation.places]
    return np.maximum(bicubic(generation.word_maps[rows].mean(axis=0), *shape), 0)


def _cells(row: Any, columns: tuple[Column, ...]) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in columns}


def _method_cells(row: MethodRow) -> dict[str, Any]:
    low, high = OBJECTS
    paper = f"{low} to {high}" if row.method in {f"DAAM {tau:g}" for tau in TAUS} else None
    return {name: getattr(row, name) for name in ("method", "coco", "all", "over_whole")} | {"paper": paper}


def _coco_rows() -> list[dict[str, Any]]:
    return [{"coco": name, "nouns": ", ".join(SYNONYMS.get(name, ())) or "-"} for name in CLASSES]


def _best(curve: list[tuple[float, Estimate, Estimate]]) -> str:
    known = [(estimate.value, tau) for tau, _, estimate in curve if not math.isnan(estimate.value)]
    if not known:
        return ""
    value, tau = max(known)
    return f"Best over all nouns: {100 * value:.1f} at tau {tau:g}; chosen on these very images, so a little too high."


def _drawing(curve: list[tuple[float, Estimate, Estimate]], rows: list[MethodRow]) -> Drawing:
    said = ", ".join(f"{row.method} {spoken(row.all)}" for row in rows)
    drawn = partial(_draw, curve=curve, rows=rows)
    return Drawing(drawn, (6.6, 4.2), f"mIoU of DAAM against its threshold. Over all nouns in percent: {said}.")


def _draw(figure: Figure, curve: list[tuple[float, Estimate, Estimate]], rows: list[MethodRow]) -> None:
    taus, coco, everything = zip(*curve, strict=True)
    if all(math.isnan(estimate.value) for estimate in everything):
        nothing(figure, "No noun has both a map and a mask.")
        return
    axes = figure.subplots()
    style: dict[str, Any] = {"color": INK, "markersize": 3.5, "markerfacecolor": "white"}
    axes.plot(taus, [100 * estimate.value for estimate in everything], "-o", label="all nouns", **style)
    if not math.isnan(coco[0].value):
        axes.plot(taus, [100 * estimate.value for estimate in coco], "--s", label=COCO, **style)
    low, high = ([100 * estimate.interval[end] for estimate in everything] for end in (0, 1))
    axes.fill_between(taus, low, high, color="#e4e4ea", zorder=0)
    for row, dashes in zip(rows[len(TAUS) :], _DASHES, strict=False):
        axes.axhline(100 * row.all.value, color=GREY, linestyle=dashes, label=f"{row.method}, all nouns")
    axes.set(xlabel="tau, share of the map's largest value", ylabel="mIoU, percent", ylim=(0, 100), xlim=(0, 1))
    legend(axes, 2)
