"""Writes folders of generations with maps of known cells, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from attribution.generations import write_words
from attribution.maps import Alignment, HeatMaps, Token
from attribution.records import Prompt, Word

START, END = Token("<start>", 0, 0, special=True), Token("<end>", 0, 0, special=True)


def prompt(*rows: tuple[str, str, int, str] | tuple[str, str, int, str, str]) -> Prompt:
    """A prompt of words (text, tag, head, relation[, lemma]) with a blank between any two."""
    words, start = [], 0
    for text, tag, head, relation, *lemma in rows:
        words.append(Word(text, start, start + len(text), tag, lemma[0] if lemma else text.lower(), head, relation))
        start += len(text) + 1
    return Prompt(" ".join(word.text for word in words), tuple(words))


def heat_maps(
    parsed: Prompt, maps: Sequence[np.ndarray], *, cut: int | None = None, steps: int = 1, seed: int = 0
) -> HeatMaps:
    """One token a word with ``maps[k]`` as its map, between a start and an end marker."""
    tokens = [START, *(Token(word.text, word.start, word.end) for word in parsed.words), END]
    outer = np.ones_like(maps[0], dtype=np.float32)
    values = np.stack([outer, *maps, outer]).astype(np.float32)
    alignment = Alignment(parsed.text, tuple(tokens), cut)
    return HeatMaps(values, alignment, tuple(range(len(tokens))), steps=steps, layers=1, seed=seed)


def store(
    folder: Path,
    parsed: Prompt,
    maps: Sequence[np.ndarray],
    *,
    image: np.ndarray | None = None,
    words: bool = True,
    **options: int,
) -> Path:
    """Write a generation into ``folder`` as the ``maps`` command does, with its words beside."""
    folder.mkdir(parents=True)
    heat_maps(parsed, maps, **options).save(folder / "maps")
    pixels = np.full((16, 16, 3), 128, dtype=np.uint8) if image is None else image
    Image.fromarray(pixels).save(folder / "image.png")
    if words:
        write_words(folder, parsed)
    return folder


def cells(shape: tuple[int, int], *places: tuple[int, int], values: Mapping[tuple[int, int], float] | None = None):
    """A map that is 1 at ``places`` (row, column), ``values`` where given, and 0 elsewhere."""
    grid = np.zeros(shape, dtype=np.float32)
    for place in places:
        grid[place] = 1
    for place, value in (values or {}).items():
        grid[place] = value
    return grid
