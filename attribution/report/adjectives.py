"""The report on adjectives: how much of what a swapped one changes lies outside its noun, with a contact sheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from attribution.analysis.adjectives import MEASURES, colour_change, measure, spread
from attribution.analysis.grouped import GroupedMeans
from attribution.analysis.overlap import PAPER, Booleans, Threshold
from attribution.errors import AttributionError
from attribution.generations import Reader, StoredGeneration
from attribution.maps.heat_maps import HeatMap
from attribution.report.figures import legend, lines, nothing, points, spoken
from attribution.report.page import Drawing, Gallery, Picture, Report
from attribution.report.tables import Cell, Column, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OWN, REPLAYED = "drawn by its own attention", "drawn by the first one's attention"
SHOWN = 12
"""Sets on the contact sheet."""
COLUMNS = (
    Column("group", "images"),
    Column("images", "n", "count"),
    Column("outside", "change outside the noun", "share"),
    Column("outside_area", "area outside the noun", "share"),
    Column("spread", "adjective's hard map outside the noun's", "share"),
    Column("spread_mass", "adjective's map outside the noun's", "share"),
    Column("change", "mean change, CIELAB", "number"),
)
NOTE = (
    "Percent, but for the mean change, which is in units of CIELAB (about 2.3 is just noticed); in brackets 95% "
    "bootstrap intervals that resample whole templates. The noun is its hard map in either image. An even change "
    "would lie outside in the same share as the area does."
)


@dataclass
class AdjectivesJob:
    """Job ``adjectives``, on images that know their swap set (:meth:`StoredGeneration.swap`)."""

    reader: Reader
    threshold: Threshold = PAPER
    seed: int = 0
    kind: str = "adjectives"
    means: GroupedMeans = field(init=False)
    sets: dict[str, list[str]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.means = GroupedMeans(MEASURES, self.seed)

    @property
    def settings(self) -> dict[str, Any]:
        return {"threshold": self.threshold.label}

    def measure(self, generation: StoredGeneration) -> dict[str, Any]:
        swap = generation.swap()
        record: dict[str, Any] = {"first": swap.first, "template": swap.template, "replayed": swap.replayed}
        if swap.first == generation.name:
            return record
        first = self.reader.read(swap.first)
        before, after = (np.asarray(one.image()) for one in (first, generation))
        shape = after.shape[:2]
        earlier = self._mask(first.maps.word(*first.swap().noun), shape, first.maps.steps)
        noun = generation.maps.word(*swap.noun)
        steps, adjective = generation.maps.steps, generation.maps.word(*swap.adjective)
        change = measure(colour_change(before, after), earlier | self._mask(noun, shape, steps))
        masks = self.threshold.masks(np.stack([adjective.values, noun.values]), steps)
        return record | {"values": change | spread(adjective.values, *masks)}

    def add(self, name: str, prompt: str, record: dict[str, Any]) -> None:
        if record["first"] in self.sets or len(self.sets) < SHOWN:
            self.sets.setdefault(record["first"], []).append(name)
        if "values" in record:
            group = REPLAYED if record["replayed"] else OWN
            self.means.add(record["template"], group, 1, [record["values"][name] for name in MEASURES])

    def report(self, reader: Reader) -> Report:
        groups = self.means.groups or [OWN]
        rows = [self._row(group) for group in groups]
        text = [
            "One adjective of a prompt is swapped and the seed kept. How much of the image's change lies outside of "
            "what the noun marks, and how far does the adjective's own map go beyond it?"
        ]
        table = Table("rows", "What changes with the adjective", COLUMNS, rows, NOTE)
        sheet = Gallery(
            "Sets", [picture for first, names in self.sets.items() for picture in _strip(first, names, reader)]
        )
        facts = {"threshold": self.threshold.label, "bootstrap seed": str(self.seed)}
        return Report("Adjectival entanglement", facts, text, [table], self._drawing(groups), [sheet])

    def _row(self, group: str) -> dict[str, Cell]:
        row: dict[str, Cell] = {"group": group, "images": self.means.count(group)}
        return row | {name: self.means.mean(group, name) for name in MEASURES}

    def _mask(self, word: HeatMap, shape: tuple[int, ...], steps: int) -> Booleans:
        return np.asarray(self.threshold.masks(word.resized(shape[0], shape[1]).values[None], steps)[0])

    def _drawing(self, groups: list[str]) -> Drawing:
        said = "; ".join(
            f"{group}: {spoken(self.means.mean(group, 'outside'))} of the change lies outside the noun, "
            f"{spoken(self.means.mean(group, 'outside_area'))} of the area"
            for group in groups
        )
        return Drawing(partial(_draw, means=self.means, groups=groups), (7.4, 2.9), f"Percent. {said}.")


def _strip(first: str, names: list[str], reader: Reader) -> Iterator[Picture]:
    """A set's images side by side, the first one first."""
    try:
        generations = [reader.read(name) for name in sorted(names, key=lambda name: (name != first, name))]
        images = [one.image().resize((128, 128)) for one in generations]
    except AttributionError:
        return
    strip = Image.new("RGB", (len(images) * 134 - 6, 128), "white")
    for at, image in enumerate(images):
        strip.paste(image, (at * 134, 0))
    yield Picture(strip, "; ".join(one.prompt.text for one in generations))


def _draw(figure: Figure, means: GroupedMeans, groups: list[str]) -> None:
    if not means.groups:
        nothing(figure, "No set has two images.")
        return
    axes = figure.subplots()
    kinds = (
        ("outside", "change outside the noun", "o"),
        ("outside_area", "area outside", "s"),
        ("spread", "adjective's map", "^"),
    )
    for at, (name, label, marker) in enumerate(kinds):
        found = [means.mean(group, name) for group in groups]
        points(axes, found, offset=0.2 * (at - 1), label=label, filled=at == 0, marker=marker)
    lines(axes, [f"{group}  n={means.count(group):,}" for group in groups])
    axes.set(xlabel="percent", xlim=(-2, 102))
    legend(axes, 2)
