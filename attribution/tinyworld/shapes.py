"""The outlines of the tiny world's things, in units of their radius, y pointing down: data and the curves behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from attribution.tinyworld.lexicon import RGB

Point = tuple[float, float]
Fill = Literal["body", "dark", "light"] | RGB


@dataclass(frozen=True, slots=True)
class Part:
    """A filled polygon; ``points`` lie in [-1, 1] squared. Only a part with an ``edge`` gets a dark outline."""

    points: tuple[Point, ...]
    fill: Fill = "body"
    edge: bool = True


def _ellipse(x: float, y: float, width: float, height: float, fill: Fill = "body", *, edge: bool = True) -> Part:
    turn = [2 * math.pi * k / 28 for k in range(28)]
    return Part(tuple((x + width * math.cos(t), y + height * math.sin(t)) for t in turn), fill, edge)


def _box(left: float, top: float, right: float, bottom: float, fill: Fill = "body", *, edge: bool = True) -> Part:
    return Part(((left, top), (right, top), (right, bottom), (left, bottom)), fill, edge)


def _spikes(count: int, inner: float) -> tuple[Point, ...]:
    """A star with ``count`` points, one of them up, whose notches lie at ``inner``."""
    return tuple(
        ((1, inner)[k % 2] * math.sin(math.pi * k / count), -(1, inner)[k % 2] * math.cos(math.pi * k / count))
        for k in range(2 * count)
    )


def _crescent() -> tuple[Point, ...]:
    """A disc less a smaller disc to its upper right."""
    outer = [math.radians(a) for a in range(-20, -291, -15)]
    points = [(math.cos(a), -math.sin(a)) for a in outer]
    (x0, y0), (x1, y1) = points[-1], points[0]
    bend = [(0.18, -0.68), (-0.18, -0.28), (-0.2, 0.18), (0.08, 0.5), (0.5, 0.56)]
    return (*points, (x0, y0), *bend, (x1, y1))


def _heart() -> tuple[Point, ...]:
    turn = [2 * math.pi * k / 36 for k in range(36)]
    return tuple(
        (
            math.sin(t) ** 3,
            -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t) + 2.5) / 15.5,
        )
        for t in turn
    )


def _petals() -> tuple[Part, ...]:
    around = [2 * math.pi * (k + 0.25) / 5 for k in range(5)]
    return tuple(_ellipse(0.44 * math.sin(a), -0.3 - 0.44 * math.cos(a), 0.36, 0.36) for a in around)


_STEM: Final[RGB] = (36, 140, 60)
_TRUNK: Final[RGB] = (98, 62, 34)
_INK: Final[RGB] = (24, 22, 30)
_CREAM: Final[RGB] = (255, 240, 190)

SHAPES: Final[dict[str, tuple[Part, ...]]] = {
    "circle": (_ellipse(0, 0, 0.95, 0.95),),
    "square": (_box(-0.85, -0.85, 0.85, 0.85),),
    "triangle": (Part(((0, -0.95), (1, 0.8), (-1, 0.8))),),
    "star": (Part(_spikes(5, 0.48)),),
    "moon": (Part(_crescent()),),
    "sun": (Part(_spikes(10, 0.72)), _ellipse(0, 0, 0.5, 0.5, "light", edge=False)),
    "tree": (_box(-0.18, 0.2, 0.18, 1, _TRUNK), _ellipse(0, -0.3, 0.86, 0.7)),
    "flower": (_box(-0.1, 0, 0.1, 1, _STEM, edge=False), *_petals(), _ellipse(0, -0.3, 0.25, 0.25, _CREAM)),
    "cactus": (
        _box(-0.85, -0.35, -0.5, 0.25),
        _box(-0.85, 0.0, -0.2, 0.32),
        _box(0.5, -0.6, 0.85, 0.1),
        _box(0.2, -0.15, 0.85, 0.17),
        _box(-0.32, -1, 0.32, 1),
    ),
    "house": (
        _box(-0.75, -0.1, 0.75, 0.95),
        Part(((0, -1), (1, -0.1), (-1, -0.1)), "dark"),
        _box(-0.2, 0.35, 0.2, 0.95, _CREAM, edge=False),
    ),
    "fish": (
        Part(((0.35, 0), (1, -0.6), (1, 0.6))),
        _ellipse(-0.2, 0, 0.8, 0.58),
        _ellipse(-0.55, -0.12, 0.17, 0.17, (255, 255, 255), edge=False),
        _ellipse(-0.57, -0.12, 0.09, 0.09, _INK, edge=False),
    ),
    "heart": (Part(_heart()),),
    "Saturn": (
        _ellipse(0, 0, 1, 0.36, (168, 122, 72)),
        _ellipse(0, 0, 0.66, 0.66, (238, 200, 128)),
        _box(-0.64, -0.1, 0.64, 0.14, (168, 122, 72), edge=False),
    ),
    "Mars": (
        _ellipse(0, 0, 0.95, 0.95, (192, 84, 52)),
        _ellipse(-0.3, -0.3, 0.24, 0.24, (120, 44, 30), edge=False),
        _ellipse(0.36, 0.12, 0.28, 0.28, (120, 44, 30), edge=False),
        _ellipse(-0.2, 0.5, 0.18, 0.18, (120, 44, 30), edge=False),
    ),
    "Earth": (
        _ellipse(0, 0, 0.95, 0.95, (44, 124, 232)),
        _ellipse(-0.35, -0.3, 0.38, 0.34, (70, 182, 74), edge=False),
        _ellipse(0.36, 0.3, 0.3, 0.42, (70, 182, 74), edge=False),
    ),
    "Bob": (
        _ellipse(0, 0, 0.95, 0.95, (255, 222, 60)),
        _ellipse(-0.34, -0.28, 0.13, 0.2, _INK, edge=False),
        _ellipse(0.34, -0.28, 0.13, 0.2, _INK, edge=False),
        Part(((-0.55, 0.22), (0.55, 0.22), (0.36, 0.54), (0, 0.66), (-0.36, 0.54)), (190, 30, 44), edge=False),
    ),
}
