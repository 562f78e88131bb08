"""Maps that explain nothing, to compare explanations with: a study shows some of them to know what raters forgive.

Each is a :class:`HeatMap` of the size of the image's own maps, so that it is drawn and judged like any other; the
plurals give them to all traced words of an image at once.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

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


def uniforms(maps: HeatMaps) -> HeatMaps:
    """Every token's map the same value everywhere."""
    return replace(maps, tokens=np.ones_like(maps.tokens), method="uniform")


def blobs(maps: HeatMaps, spread: float = 0.2) -> HeatMaps:
    """Every token's map a Gaussian in the middle; see :func:`centred_blob`."""
    blob = centred_blob(HeatMap(maps.tokens[0]), spread).values
    return replace(maps, tokens=np.repeat(blob[None], len(maps.tokens), axis=0), method="blob")


def of_other_words(maps: HeatMaps, *, seed: int) -> HeatMaps:
    """Every traced word under the map of another one, which ``seed`` picks; only the words' tokens are kept.

    A token that two words share goes with the later one. Raises WordError when fewer than two words were traced.
    """
    tokens: dict[int, NDArray[np.float32]] = {}
    for index, word in enumerate(maps.words()):
        other = another_words(maps, word.start, word.end, seed=seed + index)
        tokens |= dict.fromkeys(maps.alignment.positions(word.start, word.end), other.values)
    if not tokens:
        raise WordError(f"no word of the prompt {maps.prompt!r} was traced: there is no other word's map")
    kept = tuple(position for position in maps.kept if position in tokens)
    return replace(maps, tokens=np.stack([tokens[position] for position in kept]), kept=kept, method="other-word")
