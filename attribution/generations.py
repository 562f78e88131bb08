"""A folder of generations, read one image at a time: what ``python -m attribution maps`` and the site's worker write.

Every folder below the given one that holds ``maps.npz`` or ``maps.json`` is one generation; beside them lies its
``image.png``. A ``words.json`` there (a list of objects with the fields of :class:`attribution.records.Word`) says how
the prompt was parsed; without one the prompt is parsed as it is read.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attribution.errors import GenerationError, MapFileError, WordError
from attribution.maps.heat_maps import HeatMaps
from attribution.records import Prompt, Word
from attribution.swaps import Swap, read_swap

Parse = Callable[[Iterable[str]], Iterable[Prompt]]
MAPS, IMAGE, WORDS = "maps", "image.png", "words.json"
REMEMBERED = 4096
"""Prompts whose words are kept while a folder is read: seeds of one prompt are parsed once."""


@dataclass(frozen=True)
class StoredGeneration:
    """One image with the maps of its words. ``name`` is its folder's path below the folder that is read."""

    name: str
    folder: Path
    maps: HeatMaps
    prompt: Prompt

    @cached_property
    def places(self) -> dict[int, int]:
        """Which row of :attr:`word_maps` belongs to which word of the prompt; words without a map have none."""
        return {index: row for row, index in enumerate(self._found)}

    @cached_property
    def word_maps(self) -> NDArray[np.float32]:
        """The maps of the words that have one, float32 [word, height, width], in reading order."""
        return np.stack(list(self._found.values())) if self._found else self.maps.tokens[:0]

    @cached_property
    def tokens_of(self) -> dict[int, frozenset[int]]:
        """The tokens of each word that has a map; two words of one token (``!!!`` is three) share a map."""
        words = self.prompt.words
        return {k: frozenset(self.maps.alignment.positions(words[k].start, words[k].end)) for k in self._found}

    @property
    def unmapped(self) -> int:
        """Words without a map: past the text encoder's cut, or not traced."""
        return len(self.prompt.words) - len(self._found)

    @cached_property
    def _found(self) -> dict[int, NDArray[np.float32]]:
        found = {}
        for index, word in enumerate(self.prompt.words):
            try:
                found[index] = self.maps.word(word.start, word.end).values
            except WordError:
                continue
        return found

    def swap(self) -> Swap:
        """Its set of swapped adjectives, ``first`` as a name; raises GenerationError where it is in none."""
        found = read_swap(self.folder)
        return replace(found, first=(PurePosixPath(self.name).parent / found.first).as_posix())

    def image(self) -> Image.Image:
        """The image, RGB; raises GenerationError when its file is missing or no picture."""
        path = self.folder / IMAGE
        try:
            with Image.open(path) as picture:
                return picture.convert("RGB")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise GenerationError(f"{path} cannot be read as an image: {error}") from error


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A generation that was skipped, and why."""

    name: str
    reason: str


def names(folder: Path | str) -> Iterator[str]:
    """The names of the generations in ``folder``, in order of their paths; holds no more than one level's names.

    Raises GenerationError when the folder is missing.
    """
    top = Path(folder)
    if not top.is_dir():
        raise GenerationError(f"{top} is no folder: give one that `python -m attribution maps --out` wrote")
    for here, below, files in os.walk(top, onerror=_refuse):
        below.sort()
        if {f"{MAPS}.npz", f"{MAPS}.json"} & set(files):
            yield Path(here).relative_to(top).as_posix()


class Reader:
    """Reads generations by name; ``parse``, in records ``parser``, gives words where a generation brings none."""

    def __init__(self, folder: Path | str, parse: Parse | None = None, parser: str = "") -> None:
        self.folder = Path(folder)
        self.parser = parser
        self._parse = parse
        self._known: OrderedDict[str, Prompt] = OrderedDict()

    def names(self) -> Iterator[str]:
        """The names of what there is to read, in a fixed order, not held in memory."""
        return names(self.folder)

    def read(self, name: str) -> StoredGeneration:
        """The generation ``name``; raises MapFileError or GenerationError, which name the file at fault."""
        folder = self.folder / name
        maps = HeatMaps.load(folder / MAPS)
        if not maps.prompt:
            raise GenerationError(f"{folder / MAPS}.json holds no prompt: its image was made from embeddings")
        own = folder / WORDS
        prompt = _with_words(maps.prompt, own) if own.is_file() else self._parsed(maps.prompt)
        return StoredGeneration(name, folder, maps, prompt)

    def stream(self, names: Iterable[str]) -> Iterator[StoredGeneration | Unreadable]:
        """Each generation in turn, or why it cannot be read; one is in memory at a time."""
        for name in names:
            try:
                yield self.read(name)
            except (MapFileError, GenerationError) as error:
                yield Unreadable(name, str(error))

    def _parsed(self, text: str) -> Prompt:
        if text not in self._known:
            self._known[text] = self._words_of(text)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return self._known[text]

    def _words_of(self, text: str) -> Prompt:
        if self._parse is None:
            raise GenerationError(f"nobody parsed the prompt {text!r}: give a parser, or a {WORDS} beside its maps")
        return next(iter(self._parse([text])))


def write_words(folder: Path, prompt: Prompt) -> None:
    """Put ``words.json`` beside a generation's maps, so that it is never parsed again."""
    fields = [{name: getattr(word, name) for name in Word.__slots__} for word in prompt.words]
    (folder / WORDS).write_text(json.dumps(fields, ensure_ascii=False, indent=1), encoding="utf-8")


def _with_words(text: str, path: Path) -> Prompt:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        words = tuple(_word(row) for row in rows)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise GenerationError(f"{path} is no list of words: {type(error).__name__}: {error}") from error
    for index, word in enumerate(words):
        if text[word.start : word.end] != word.text or not 0 <= word.head < len(words):
            raise GenerationError(f"{path}: word {index}, {word.text!r}, has offsets or a head of another prompt")
    return Prompt(text, words)


def _word(row: Any) -> Word:
    text, tag, lemma, relation = (str(row[name]) for name in ("text", "tag", "lemma", "relation"))
    start, end, head = (int(row[name]) for name in ("start", "end", "head"))
    return Word(text, start, end, tag, lemma, head, relation)


def _refuse(error: OSError) -> None:
    raise GenerationError(f"{error.filename} cannot be listed: {error.strerror}") from error
