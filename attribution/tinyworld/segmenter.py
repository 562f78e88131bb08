"""Which things a picture of the tiny world shows: pixels off the ground, grouped, compared with every thing's look.

It knows the world's drawing rules and nothing of the caption. Run on true scenes it gives the ceiling for any model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from attribution.tinyworld.grammar import Caption, Thing
from attribution.tinyworld.lexicon import COLOURS, GROUNDS, HALO, NAMES, NOUNS, RGB, SHADE_OF_EFFECT
from attribution.tinyworld.scenes import SIDE, draw

_LOOK: Final = 20  # a look is compared on a grid of this many cells a side
_SMALLEST: Final = 60  # pixels; less is a speck
_FAR: Final = 42.0  # how far from every ground's colour a thing's pixel is (Euclidean RGB)
_DIFFERENT: Final = 0.42  # a look further than this from every template is none of them


@dataclass(frozen=True, slots=True)
class Found:
    """One thing found: its name, colour ('' for named bodies), pixels (64, 64) bool, and the look's distance."""

    noun: str
    colour: str
    mask: NDArray[np.bool_]
    distance: float


def find(pixels: NDArray[np.uint8]) -> list[Found]:
    """The things in ``pixels`` (64, 64, 3), from left to right; specks and unknown looks are left out."""
    found = []
    for mask in _regions(_off_ground(pixels)):
        noun, colour, distance = _recognise(pixels, mask)
        if distance < _DIFFERENT:
            found.append(Found(noun, colour, mask, distance))
    return sorted(found, key=lambda thing: float(np.nonzero(thing.mask)[1].mean()))


def ground_of(pixels: NDArray[np.uint8]) -> str:
    """The ground whose colours, above and below the horizon, the picture's borders are nearest to."""
    rows = np.concatenate([pixels[:, :3], pixels[:, -3:]], axis=1).astype(float)
    top, bottom = (np.median(part.reshape(-1, 3), axis=0) for part in (rows[:30], rows[48:]))
    return min(GROUNDS, key=lambda name: _apart(top, GROUNDS[name][0]) + _apart(bottom, GROUNDS[name][1]))


def ground_mask(pixels: NDArray[np.uint8], ground: str) -> NDArray[np.bool_]:
    """(64, 64) bool: the pixels that look like ``ground``, below its horizon where it has one, shadows left out."""
    above, below = (np.array(colour, dtype=float) for colour in GROUNDS[ground])
    to_above, to_below = (np.sqrt(((pixels - colour) ** 2).sum(-1)) for colour in (above, below))
    return np.asarray((to_below < _FAR) & (to_below <= to_above))


def _apart(colour: NDArray[np.float64], other: RGB) -> float:
    return float(np.abs(colour - np.array(other)).sum())


def _off_ground(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(64, 64) bool: pixels that are neither ground, shadow on the ground, halo, slab nor line."""
    above, below = GROUNDS[ground_of(pixels)]
    shadows = [tuple(0.7 * channel for channel in colour) for colour in (above, below)]
    plain = np.array([above, below, *shadows, HALO, SHADE_OF_EFFECT], dtype=float)
    palette = np.array([*COLOURS.values(), (20, 16, 28)], dtype=float)
    image = pixels[:, :, None].astype(float)
    to_plain = np.sqrt(((image - plain) ** 2).sum(-1)).min(-1)
    to_palette = np.sqrt(((image - palette) ** 2).sum(-1)).min(-1)
    return np.asarray((to_plain > _FAR) | (to_palette < 0.6 * to_plain))


def _regions(mask: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Connected regions (four neighbours) of at least the smallest size, after thin bridges were cut."""
    opened = _smooth(mask)
    regions, rest = [], opened.copy()
    while rest.any():
        region = _flood(rest, *np.argwhere(rest)[0])
        rest &= ~region
        if region.sum() >= _SMALLEST:
            regions.append(region)
    return [_grown(region, mask, regions) for region in regions]


def _smooth(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(image.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.MaxFilter(3))) > 0


def _flood(mask: NDArray[np.bool_], row: int, column: int) -> NDArray[np.bool_]:
    region = np.zeros_like(mask)
    pending = [(int(row), int(column))]
    while pending:
        y, x = pending.pop()
        if 0 <= y < SIDE and 0 <= x < SIDE and mask[y, x] and not region[y, x]:
            region[y, x] = True
            pending += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return region


def _grown(region: NDArray[np.bool_], mask: NDArray[np.bool_], regions: list[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """``region`` with the neighbouring off-ground pixels that smoothing took from it."""
    others = np.any([other for other in regions if other is not region] or [np.zeros_like(mask)], axis=0)
    wide = np.asarray(Image.fromarray(region.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(5))) > 0
    return np.asarray(region | (wide & mask & ~others))


def _recognise(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> tuple[str, str, float]:
    names, looks = _templates()
    distances = np.abs(looks - _look(pixels, mask)).mean(axis=(1, 2, 3))
    best = int(distances.argmin())
    return *names[best], float(distances[best])


def _look(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(20, 20, 4) float32: the region's box stretched to a square; its colours in [0, 1], its mask in [0, 3]."""
    rows, columns = (np.nonzero(mask.any(axis=axis))[0] for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    layers = np.dstack([pixels * mask[:, :, None], mask.astype(np.uint8) * 255])[top:bottom, left:right]
    small = Image.fromarray(layers, "RGBA").resize((_LOOK, _LOOK), Image.Resampling.BOX)
    look: NDArray[np.float32] = np.asarray(small, dtype=np.float32)
    weights: NDArray[np.float32] = np.array([255, 255, 255, 85], dtype=np.float32)
    return look / weights


@cache
def _templates() -> tuple[list[tuple[str, str]], NDArray[np.float32]]:
    """Every noun in every colour and every named body, as found in its own scenes: names, and looks (n, 20, 20, 4)."""
    kinds = [(noun, colour) for noun in NOUNS for colour in COLOURS] + [(name, "") for name in NAMES]
    names, looks = [], []
    for noun, colour in kinds:
        for size in ("small", ""):
            caption = Caption("", (), (Thing(noun, colour, size),), "plain", "row")
            scene = draw(caption, np.random.default_rng(0), jitter=0.0)
            names.append((noun, colour))
            looks.append(_look(scene.pixels, scene.things[0]))
    return names, np.stack(looks)
