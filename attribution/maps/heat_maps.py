"""Heat maps as plain arrays: :class:`HeatMaps` holds every token of one image, :class:`HeatMap` one word.

NumPy only, so that a web process can read and draw them without torch.
Source: Tang et al., "What the DAAM", ACL 2023, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attribution.errors import WordError
from attribution.maps.alignment import Alignment, Span
from attribution.maps.overlay import overlay
from attribution.maps.resize import bicubic

Floats = NDArray[np.float32]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class HeatMap:
    """The map of one word: ``values`` float32 [height, width], not negative, at its :class:`HeatMaps`' size."""

    values: Floats
    text: str = ""
    start: int = 0
    end: int = 0

    def normalised(self) -> HeatMap:
        """The map divided by its largest value, so that it spans [0, 1]; an all-zero map stays zero."""
        return replace(self, values=_normalised(self.values))

    def mask(self, tau: float) -> Booleans:
        """The hard map [height, width]: where the value is at least ``tau`` times the largest (0 < tau <= 1).

        An all-zero map marks nothing. Raises ValueError for another ``tau``.
        """
        return _mask(self.values, tau)

    def resized(self, height: int, width: int) -> HeatMap:
        """The map at another size, bicubic, clamped at zero."""
        return replace(self, values=_resized(self.values, height, width))

    def overlay(self, image: Image.Image, colour_map: str = "inferno") -> Image.Image:
        """``image`` (RGB, any size) with the map laid over it."""
        return overlay(image, self.values, colour_map)


@dataclass(frozen=True, eq=False)
class HeatMaps:
    """The maps of one image's tokens.

    ``tokens`` is float32 [token, height, width], a value for each of the finest positions that the denoiser attends
    from: the latents of a U-Net, patches of 2 x 2 latents in a transformer. It is the mean over ``steps`` denoiser
    runs, over ``layers`` layers and their heads of the resized, clamped attention probabilities (by another ``method``,
    what that defines), and does not grow with the number of steps. ``kept[i]`` is the text encoder's position of
    ``tokens[i]``; all positions unless words were asked for. ``second`` aligns the second prompt of models that take
    two, over the same positions, where it was another text. ``recipe`` and ``seed`` say how the image was made, where
    that is known; ``method`` names how its maps were, one of :mod:`attribution.daam.methods`.
    """

    tokens: Floats
    alignment: Alignment
    kept: tuple[int, ...]
    steps: int
    layers: int
    recipe: dict[str, Any] | None = None
    seed: int | None = None
    second: Alignment | None = None
    method: str = "daam"
    _rows: dict[int, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.tokens.ndim != 3 or len(self.kept) != len(self.tokens):
            raise ValueError(f"{len(self.kept)} kept positions for maps of shape {self.tokens.shape}")
        object.__setattr__(self, "_rows", {position: row for row, position in enumerate(self.kept)})

    @property
    def prompt(self) -> str | None:
        """The prompt's text; None where the pipeline was given embeddings."""
        return self.alignment.prompt

    @overload
    def word(self, word: str, /, *, occurrence: int = 1) -> HeatMap: ...

    @overload
    def word(self, start: int, end: int, /) -> HeatMap: ...

    def word(self, word: str | int, end: int | None = None, /, *, occurrence: int = 1) -> HeatMap:
        """The mean of the maps of a word's tokens.

        The word is named by its character offsets ``(start, end)`` in the prompt, or by its text and which
        ``occurrence`` of it, counted from 1. Raises WordNotInPrompt, WordPastTheCut, or WordError when the image
        was made from embeddings or its tracing was restricted to other words.
        """
        start, end = self._span(word, end, occurrence)
        rows = [self._row(position, start, end) for position in self.alignment.positions(start, end)]
        return HeatMap(self.tokens[rows].mean(axis=0), (self.prompt or "")[start:end], start, end)

    def words(self) -> list[HeatMap]:
        """The maps of all words that were traced and that the text encoder saw, in reading order."""
        spans = self.alignment.words()
        return [self.word(*span) for span in spans if self._rows.keys() >= set(self.alignment.positions(*span))]

    def of_second_prompt(self) -> HeatMaps:
        """The same maps, with words looked up in the second prompt; the same prompt where there was one text only."""
        return self if self.second is None else replace(self, alignment=self.second, second=None)

    def normalised(self) -> HeatMaps:
        """Each token's map divided by its own largest value; an all-zero map stays zero."""
        return replace(self, tokens=_normalised(self.tokens))

    def mask(self, tau: float) -> Booleans:
        """Each token's hard map, bool [token, height, width]; see :meth:`HeatMap.mask`."""
        return _mask(self.tokens, tau)

    def resized(self, height: int, width: int) -> HeatMaps:
        """Each token's map at another size, bicubic, clamped at zero."""
        return replace(self, tokens=_resized(self.tokens, height, width))

    def overlay(self, image: Image.Image, colour_map: str = "inferno") -> list[Image.Image]:
        """``image`` once for each token, with the token's map laid over it."""
        return [overlay(image, values, colour_map) for values in self.tokens]

    def without_padding(self) -> HeatMaps:
        """Only the tokens up to the text encoder's end marker: smaller files, the same words."""
        last = max((i for i, token in enumerate(self.alignment.tokens) if not token.special), default=0) + 1
        rows = [row for row, position in enumerate(self.kept) if position <= last]
        return self if self.prompt is None else self._restricted(rows)

    def to_bytes(self) -> tuple[bytes, bytes]:
        """The two files of these maps, ``.npz`` and ``.json``; see :mod:`attribution.maps.files`."""
        from attribution.maps import files

        return files.to_bytes(self)

    @classmethod
    def from_bytes(cls, npz: bytes, json: bytes, *, name: str = "heat maps") -> HeatMaps:
        """Read what :meth:`to_bytes` wrote; raises MapFileError naming ``name`` and the field at fault."""
        from attribution.maps import files

        return files.from_bytes(npz, json, name=name)

    def save(self, prefix: str | Path) -> tuple[Path, Path]:
        """Write ``prefix.npz`` and ``prefix.json``, each complete or not at all; returns their paths."""
        from attribution.maps import files

        return files.save(self, prefix)

    @classmethod
    def load(cls, prefix: str | Path) -> HeatMaps:
        """Read ``prefix.npz`` and ``prefix.json``; raises MapFileError naming the file and the field at fault."""
        from attribution.maps import files

        return files.load(prefix)

    def _span(self, word: str | int, end: int | None, occurrence: int) -> Span:
        if isinstance(word, str):
            return self.alignment.find(word, occurrence)
        if end is None:
            raise TypeError("word() takes a text, or two offsets: start and end")
        return word, end

    def _row(self, position: int, start: int, end: int) -> int:
        if position not in self._rows:
            raise WordError(
                f"the word {(self.prompt or '')[start:end]!r} ({start}:{end}) was not traced: "
                "leave words= out of trace(), or name the word there"
            )
        return self._rows[position]

    def _restricted(self, rows: Sequence[int]) -> HeatMaps:
        return replace(self, tokens=self.tokens[list(rows)], kept=tuple(self.kept[row] for row in rows))


def _peaks(values: Floats) -> Floats:
    return np.asarray(values.max(axis=(-2, -1), keepdims=True))


def _normalised(values: Floats) -> Floats:
    peaks = _peaks(values)
    return np.divide(values, peaks, out=np.zeros_like(values), where=peaks > 0)


def _mask(values: Floats, tau: float) -> Booleans:
    if not 0 < tau <= 1:
        raise ValueError(f"tau is {tau}: a share of the largest value, above 0 and at most 1")
    peaks = _peaks(values)
    return np.asarray((values >= np.float32(tau) * peaks) & (peaks > 0))


def _resized(values: Floats, height: int, width: int) -> Floats:
    return np.maximum(bicubic(values, height, width), 0)
