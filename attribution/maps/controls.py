"""Maps that explain nothing, to compare explanations with: a study shows some of them to know what raters forgive.

Each is a :class:`HeatMap` of the size of the image's own maps, so that it is drawn and judged like any other.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from attribution.errors import WordError
from attribution.maps.heat_maps import HeatMap, HeatMaps


def uniform(word: HeatMap) -> HeatMap:
    """The same value everywhere: ``word`` would be about the whole picture."""
    return replace(word, values=np.ones_like(word.values))


def centred_blob(word: HeatMap, spread: float = 0.2) -> HeatMap:
    """A Gaussian in the middle, its deviation ``spread`` times the shorter side: pictures have their subject there.

    Raises ValueError when ``spread`` is not above 0.
    """
    if not spread > 0:
        raise ValueError(f"spread is {spread}: a share of the shorter side, above 0")
    height, width = word.values.shape
    rows, columns = np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2
    deviation = spread * min(height, width)
    distance = np.hypot(rows[:, None], columns[None, :]) / deviation
    return replace(word, values=np.exp(-(distance**2) / 2).astype(np.float32))


def another_words(maps: HeatMaps, start: int, end: int, *, seed: int) -> HeatMap:
    """The map of another word of the same prompt, under the name of the word ``start:end``.

    ``seed`` picks one of the traced words that share no token with it. Raises WordError when there is none.
    """
    word = maps.word(start, end)
    own = set(maps.alignment.positions(start, end))
    others = [other for other in maps.words() if own.isdisjoint(maps.alignment.positions(other.start, other.end))]
    if not others:
        raise WordError(f"{word.text!r} is the only word traced of the prompt {maps.prompt!r}: no other word's map")
    choice = others[math.floor(np.random.default_rng(seed).random() * len(others))]
    return replace(word, values=choice.values)
