"""Scenes of the tiny world: a caption and a seed become 64x64 pixels and one exact mask for each thing and effect."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from attribution.tinyworld.grammar import Caption, CaptionWord, Thing
from attribution.tinyworld.lexicon import COLOURS, GROUNDS, HALO, PLACES, RGB, SHADE_OF_EFFECT, SIZES
from attribution.tinyworld.shapes import SHAPES, Fill

SIDE: Final = 64
_FINE: Final = 3  # drawn at three times the size, then averaged: soft edges
_HORIZON: Final = 40

#: Centres in pixels, in the order of the caption's things, and the radius that they share.
LAYOUTS: Final[dict[str, tuple[tuple[tuple[int, int], ...], float]]] = {
    "centre": (((32, 31),), 18),
    "row": (((16, 32), (48, 32)), 13),
    "first above": (((32, 17), (32, 48)), 13),
    "first below": (((32, 48), (32, 17)), 13),
    "three": (((16, 18), (48, 18), (32, 47)), 12),
    **{name: ((centre,), 15) for name, (_, centre) in PLACES.items()},
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A drawn caption.

    ``pixels`` (64, 64, 3) uint8; ``things`` (n, 64, 64) bool, what is seen of each thing; ``effects`` (n, 64, 64) bool,
    what each thing's verbs show; ``ground`` (64, 64) bool, what is seen of the ground that the caption names.
    """

    pixels: NDArray[np.uint8]
    things: NDArray[np.bool_]
    effects: NDArray[np.bool_]
    ground: NDArray[np.bool_]

    def mask(self, word: CaptionWord) -> NDArray[np.bool_] | None:
        """(64, 64) bool, what ``word`` shows, or None where it shows nothing."""
        if word.shows == "none":
            return None
        if word.shows == "ground":
            return self.ground
        layers = self.things if word.shows == "object" else self.effects
        return np.asarray(layers[list(word.things)].any(axis=0))


def draw(caption: Caption, rng: np.random.Generator, *, jitter: float = 3.0) -> Scene:
    """The scene of ``caption``; places vary by up to ``jitter`` pixels, radii by 6%, the horizon by 2 pixels."""
    horizon = round(_HORIZON + float(rng.uniform(-2, 2)))
    canvas = _Canvas(caption.ground, horizon)
    centres, radius = LAYOUTS[caption.layout]
    sizes = [radius * SIZES[thing.size] * float(rng.uniform(0.94, 1.06)) for thing in caption.things]
    places = _places(centres[: len(sizes)], sizes, rng, jitter)
    for index, (thing, (x, y), size) in enumerate(zip(caption.things, places, sizes, strict=True)):
        canvas.place(index, thing, x, y, size)
    return canvas.scene(len(caption.things))


def _places(
    centres: tuple[tuple[int, int], ...], sizes: list[float], rng: np.random.Generator, jitter: float
) -> list[tuple[float, float]]:
    """A place near each centre, inside the picture, where no two things overlap if ten draws find such places."""
    places: list[tuple[float, float]] = []
    for _ in range(10):
        moves = rng.uniform(-jitter, jitter, (len(sizes), 2))
        places = [
            (_inside(x + float(dx), size), _inside(y + float(dy), size))
            for (x, y), (dx, dy), size in zip(centres, moves, sizes, strict=True)
        ]
        if all(math.dist(a, b) >= r + s for (a, r), (b, s) in combinations(zip(places, sizes, strict=True), 2)):
            break
    return places


def _inside(position: float, radius: float) -> float:
    return min(max(position, radius + 1), SIDE - radius - 1)


class _Canvas:
    """Colours and labels of one scene at the fine resolution; label 2k+1 is thing k, 2k+2 its effect."""

    def __init__(self, ground: str, horizon: int) -> None:
        side = SIDE * _FINE
        above, below = GROUNDS[ground]
        self.ground, self.horizon = ground, horizon
        self.colours = Image.new("RGB", (side, side), above)
        self.labels = Image.new("L", (side, side), 0)
        self._paint, self._label = ImageDraw.Draw(self.colours), ImageDraw.Draw(self.labels)
        if below != above:
            self._paint.rectangle((0, horizon * _FINE, side, side), fill=below)

    def place(self, index: int, thing: Thing, x: float, y: float, radius: float) -> None:
        for verb, strength in thing.verbs:
            self._show(2 * index + 2, verb, strength, x, y, radius)
        body = COLOURS.get(thing.colour, (200, 160, 90))
        for part in SHAPES[thing.noun]:
            points = [((x + px * radius) * _FINE, (y + py * radius) * _FINE) for px, py in part.points]
            fill = _shade(part.fill, body)
            edge = _mix(fill, (20, 16, 28), 0.55) if part.edge else fill
            self._paint.polygon(points, fill=fill, outline=edge, width=_FINE if part.edge else 1)
            self._label.polygon(points, fill=2 * index + 1)

    def _show(self, label: int, verb: str, strength: int, x: float, y: float, radius: float) -> None:
        """Draw what a verb shows: a halo, a shadow on the ground, a slab underneath, or lines of speed."""
        if verb == "glow":
            reach = radius * (1.2, 1.14, 1.32)[strength]
            self._oval(label, (x - reach, y - reach, x + reach, y + reach), HALO)
        elif verb == "float":
            half, top = radius * (0.75, 0.6, 0.95)[strength], y + radius * 1.1
            self._oval(label, (x - half, top, x + half, top + 0.3 * radius), self._shadow(top))
        elif verb == "rest":
            half, top = radius * (1, 0.85, 1.2)[strength], y + radius * 0.95
            self._box(label, (x - half, top, x + half, top + 0.22 * radius))
        else:
            length = radius * (0.4, 0.28, 0.55)[strength]
            for dx in (-0.5, 0.0, 0.5):
                left, bottom = x + dx * radius - 1, y - 1.06 * radius
                self._box(label, (left, bottom - length, left + 2.2, bottom))

    def _shadow(self, y: float) -> RGB:
        above, below = GROUNDS[self.ground]
        return _mix(below if y >= self.horizon else above, (0, 0, 0), 0.3)

    def _oval(self, label: int, box: tuple[float, float, float, float], colour: RGB) -> None:
        fine = [value * _FINE for value in box]
        self._paint.ellipse(fine, fill=colour)
        self._label.ellipse(fine, fill=label)

    def _box(self, label: int, box: tuple[float, float, float, float]) -> None:
        fine = [value * _FINE for value in box]
        self._paint.rectangle(fine, fill=SHADE_OF_EFFECT)
        self._label.rectangle(fine, fill=label)

    def scene(self, things: int) -> Scene:
        pixels = np.asarray(self.colours.reduce(_FINE))
        labels = np.asarray(self.labels)[_FINE // 2 :: _FINE, _FINE // 2 :: _FINE]
        numbers = np.arange(things)[:, None, None]
        ground = labels == 0
        if len(set(GROUNDS[self.ground])) > 1:
            ground[: self.horizon] = False
        return Scene(pixels, labels == 2 * numbers + 1, labels == 2 * numbers + 2, ground)


def _shade(fill: Fill, body: RGB) -> RGB:
    if fill == "body":
        return body
    if fill == "dark":
        return _mix(body, (30, 20, 30), 0.4)
    if fill == "light":
        return _mix(body, (255, 255, 255), 0.45)
    return fill


def _mix(colour: RGB, other: RGB, share: float) -> RGB:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue
