"""The interface of segmenters, the one that needs no model, and how users name them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attribution.errors import SegmenterError

Masks = dict[str, NDArray[np.bool_]]


class Segmenter(Protocol):
    """Marks what nouns name in an image."""

    @property
    def name(self) -> str:
        """What reports call it, with the checkpoint that it uses."""
        ...

    def masks(self, image: Image.Image, nouns: Sequence[str], *, generation: str = "") -> Masks:
        """For each of the ``nouns`` (lower-case lemmas, or names) that it knows and sees, a mask bool [height, width].

        ``image`` is RGB; ``generation`` is its name in the folder it was read from. Nouns that it does not know, or
        whose mask would be empty, are left out. Raises SegmentationError where it cannot work on the image,
        SegmenterError where it cannot be loaded.
        """
        ...


class WholeImage:
    """The baseline: everything is everywhere."""

    name = "whole image"

    def masks(self, image: Image.Image, nouns: Sequence[str], *, generation: str = "") -> Masks:
        return {noun: np.ones((image.height, image.width), dtype=bool) for noun in nouns}


class CentredBox:
    """The baseline that knows where pictures have their subject: the middle half of each side."""

    name = "centred box"

    def masks(self, image: Image.Image, nouns: Sequence[str], *, generation: str = "") -> Masks:
        box = np.zeros((image.height, image.width), dtype=bool)
        top, left = image.height // 4, image.width // 4
        box[top : image.height - top, left : image.width - left] = True
        return dict.fromkeys(nouns, box)


def segmenter(description: str, device: str | None = None) -> Segmenter:
    """The segmenter that ``description`` names, ``KIND`` or ``KIND:WHAT``.

    ``whole``; ``box``; ``tinyworld``; ``files:FOLDER``; ``mask2former`` and ``clipseg``, each also with the hub id or
    folder of a checkpoint. ``device`` is where models compute. Raises SegmenterError for any other name.
    """
    kind, _, what = description.partition(":")
    if kind not in _MAKERS:
        raise SegmenterError(f"no segmenter {description!r}: choose from {', '.join(_MAKERS)}")
    return _MAKERS[kind](what, device)


def known(masks: Masks) -> Masks:
    """``masks`` without the empty ones."""
    return {noun: mask for noun, mask in masks.items() if mask.any()}


def _whole(what: str, device: str | None) -> Segmenter:
    return WholeImage()


def _box(what: str, device: str | None) -> Segmenter:
    return CentredBox()


def _tinyworld(what: str, device: str | None) -> Segmenter:
    from attribution.segmentation.tinyworld import TinyWorld

    return TinyWorld()


def _files(what: str, device: str | None) -> Segmenter:
    from attribution.segmentation.files import MaskFiles

    return MaskFiles(Path(what))


def _mask2former(what: str, device: str | None) -> Segmenter:
    from attribution.segmentation.mask2former import CHECKPOINT, Mask2Former

    return Mask2Former(what or CHECKPOINT, device)


def _clipseg(what: str, device: str | None) -> Segmenter:
    from attribution.segmentation.clipseg import CHECKPOINT, ClipSeg

    return ClipSeg(what or CHECKPOINT, device)


_MAKERS: dict[str, Callable[[str, str | None], Segmenter]] = {
    "whole": _whole,
    "box": _box,
    "tinyworld": _tinyworld,
    "files": _files,
    "mask2former": _mask2former,
    "clipseg": _clipseg,
}
