"""Masks from files: ground truth made by hand, ``FOLDER/<generation>/<noun>.png``.

Where the file has an alpha channel, what is not transparent is marked; otherwise what is not black.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attribution.errors import SegmentationError, SegmenterError
from attribution.segmentation.base import Masks, known


class MaskFiles:
    """Reads a noun's mask from the file of its name; nouns without a file are left out."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise SegmenterError(f"no folder of masks at {folder}: it should hold GENERATION/NOUN.png")
        self.folder = folder
        self.name = f"files:{folder}"

    def masks(self, image: Image.Image, nouns: Sequence[str], *, generation: str = "") -> Masks:
        files = {noun: self.folder / generation / f"{noun}.png" for noun in nouns if _is_name(noun)}
        return known({noun: _read(path, image.size) for noun, path in files.items() if path.is_file()})


def _is_name(noun: str) -> bool:
    """Whether a noun is a plain file name: a word of a prompt may hold anything."""
    return noun not in ("", ".", "..") and not set(noun) & set("/\\\0:")


def _read(path: Path, size: tuple[int, int]) -> NDArray[np.bool_]:
    try:
        with Image.open(path) as file:
            layer = file.getchannel("A") if "A" in file.getbands() else file.convert("L")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise SegmentationError(f"{path} cannot be read as a mask: {error}") from error
    if layer.size != size:
        raise SegmentationError(f"{path} is {layer.size[0]} x {layer.size[1]} pixels, its image {size[0]} x {size[1]}")
    return np.asarray(layer) > 0
