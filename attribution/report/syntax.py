"""The visuosyntactic report: table, dominance figure, the pairs of each relation that share most and least."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

from attribution.analysis.overlap import PAPER, Threshold, hard_overlaps, soft_overlaps
from attribution.analysis.relations import Convention
from attribution.analysis.syntax import COMMONEST, Example, Syntax, SyntaxRow, measure
from attribution.errors import AttributionError
from attribution.generations import Reader, StoredGeneration
from attribution.report.figures import GREY, INK, legend, lines, nothing, points, spoken
from attribution.report.page import Drawing, Gallery, Picture, Report
from attribution.report.published import RELATIONS
from attribution.report.tables import Cell, Column, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = (
    Column("relation", "relation"),
    Column("pairs", "pairs", "count"),
    Column("images", "images", "count"),
    Column("iou", "mIoU", "share"),
    Column("iod", "mIoD", "share"),
    Column("ioh", "mIoH", "share"),
    Column("difference", "mIoD - mIoH", "points"),
    Column("to_unrelated", "mIoU less unrelated", "points"),
    Column("empty", "empty", "share"),
    Column("paper", "the paper's later run: mIoU / mIoD / mIoH"),
)
NOTE = (
    "Percent; in brackets 95% bootstrap intervals that resample whole prompts. IoD: shared over the dependent's area; "
    "IoH: over the head's. A positive difference means that the head's map is the larger one. A pair with an empty map "
    "counts as 0. The paper's run: SD 2.1 base, CoreNLP, threshold 0.15 on raw maps."
)
SIDE = 128


@dataclass
class SyntaxJob:
    """Job ``syntax``; ``soft`` compares maps as they are, without a threshold."""

    threshold: Threshold = PAPER
    convention: Convention = "enhanced"
    soft: bool = False
    seed: int = 0
    kind: str = "syntax"
    total: Syntax = field(init=False)

    def __post_init__(self) -> None:
        self.total = Syntax(self.seed)

    @property
    def settings(self) -> dict[str, Any]:
        return {"threshold": "soft" if self.soft else self.threshold.label, "convention": self.convention}

    def measure(self, generation: StoredGeneration) -> dict[str, Any]:
        maps = generation.word_maps
        overlaps = (
            soft_overlaps(maps) if self.soft else hard_overlaps(self.threshold.masks(maps, generation.maps.steps))
        )
        words = generation.prompt.words
        return measure(words, generation.places, generation.tokens_of, overlaps, self.convention)

    def add(self, name: str, prompt: str, record: dict[str, Any]) -> None:
        self.total.add(name, prompt, record)

    def report(self, reader: Reader) -> Report:
        rows = self.total.rows()
        labels = {
            "threshold": self.settings["threshold"],
            "relations": self.convention,
            "bootstrap seed": str(self.seed),
        }
        text = [
            f"How much the heat maps of a head and its dependent share, for the {COMMONEST} commonest relations of "
            f"{self.total.images:,} images, beside all such pairs, pairs of unrelated words of the same prompt, and "
            "pronouns with what they stand for.",
            f"Left out: {self.total.without_map:,} pairs with a word that has no map (past the encoder's cut, or not "
            f"traced), {self.total.one_token:,} pairs of words that share a token.",
        ]
        table = Table("rows", "Head-dependent pairs by relation", COLUMNS, [_cells(row) for row in rows], NOTE)
        galleries = [self._gallery(relation, reader) for relation in self.total.commonest()]
        return Report("Visuosyntactic analysis", labels, text, [table], _drawing(rows), galleries)

    def _gallery(self, relation: str, reader: Reader) -> Gallery:
        best, worst = self.total.examples(relation)
        shown = chain(((example, "shares most") for example in best), ((example, "shares least") for example in worst))
        pictures = (self._picture(example, why, reader) for example, why in shown)
        return Gallery(relation, [picture for picture in pictures if picture])

    def _picture(self, example: Example, why: str, reader: Reader) -> Picture | None:
        """The image, the head's map and the dependent's; None where the generation is no longer there."""
        try:
            generation = reader.read(example.name)
            image = generation.image()
        except AttributionError:
            return None
        words = generation.prompt.words
        pair = [words[example.head], words[example.dependent]]
        maps = [generation.maps.word(word.start, word.end) for word in pair]
        small = image.resize((SIDE, SIDE))
        strip = _strip([small, *(one.overlay(small) for one in maps)], ["", *(word.text for word in pair)])
        shares = f"IoU {100 * example.iou:.0f}, IoD {100 * example.iod:.0f}, IoH {100 * example.ioh:.0f}"
        return Picture(
            strip, f"{why}: head “{pair[0].text}”, dependent “{pair[1].text}”; {shares}. {generation.prompt.text}"
        )


def _strip(pictures: list[Image.Image], names: list[str]) -> Image.Image:
    strip = Image.new("RGB", (len(pictures) * (SIDE + 6) - 6, SIDE + 20), "white")
    font = ImageFont.load_default(13)
    for at, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        strip.paste(picture, (at * (SIDE + 6), 0))
        ImageDraw.Draw(strip).text((at * (SIDE + 6), SIDE + 2), name, fill="black", font=font)
    return strip


def _cells(row: SyntaxRow) -> dict[str, Cell]:
    published = RELATIONS.get(row.relation)
    cells = {name: getattr(row, name) for name in asdict(row)}
    return cells | {"paper": " / ".join(f"{share:g}" for share in published) if published else None}


def _drawing(rows: list[SyntaxRow]) -> Drawing:
    found = [row for row in rows if row.pairs]
    parts = [f"{row.relation} {spoken(row.iod)} and {spoken(row.ioh)}" for row in found]
    said = "No pairs." if not found else f"Mean IoD and IoH in percent by relation: {', '.join(parts)}."
    return Drawing(partial(_draw, rows=found), (8.4, 1.4 + 0.32 * max(4, len(found))), said)


def _draw(figure: Figure, rows: list[SyntaxRow]) -> None:
    if not rows:
        nothing(figure, "No pair of words has maps.")
        return
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.2, 1))
    points(left, [row.iod for row in rows], offset=-0.14, label="mIoD")
    points(left, [row.ioh for row in rows], offset=0.14, label="mIoH", filled=False, marker="s")
    left.set(xlabel="shared, percent of the area", xlim=(-2, 102))
    points(right, [row.difference for row in rows], label="mIoD - mIoH")
    _published(right, rows)
    right.axvline(0, color=INK, linewidth=0.8)
    right.set(xlabel="points; above 0: larger head")
    lines(left, [f"{row.relation}  n={row.pairs:,}" for row in rows])
    right.grid(axis="y", color="#e4e4ea", linewidth=0.6)
    for axes in (left, right):
        legend(axes, 2)


def _published(axes: Any, rows: list[SyntaxRow]) -> None:
    known = [(at, RELATIONS[row.relation]) for at, row in enumerate(rows) if row.relation in RELATIONS]
    if known:
        places, shares = zip(*known, strict=True)
        differences = [iod - ioh for _, iod, ioh in shares]
        axes.plot(differences, places, "x", color=GREY, markersize=5, label="the paper")
