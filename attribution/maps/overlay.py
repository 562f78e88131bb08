"""Heat maps as pictures: coloured by a table, transparent where the map is low."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attribution.maps.colours import colour_table
from attribution.maps.resize import bicubic

OPACITY = 0.85
"""Share of the image that the map's highest value hides."""


def overlay(image: Image.Image, values: NDArray[np.float32], colour_map: str = "inferno") -> Image.Image:
    """``image`` as RGB with the map ``values`` [height, width] laid over it, resized to the image's size."""
    base = image.convert("RGBA")
    layer = heat_map_image(values, base.height, base.width, colour_map)
    return Image.alpha_composite(base, layer).convert("RGB")


def heat_map_image(
    values: NDArray[np.float32], height: int, width: int, colour_map: str = "inferno", opacity: float = OPACITY
) -> Image.Image:
    """The map ``values`` [rows, columns] alone, as RGBA of ``height`` x ``width`` pixels.

    The map is resized (bicubic) and normalised by its largest value; the value picks the colour, and its share
    of ``opacity`` (0 to 1) how much it hides. Raises ValueError for an unknown colour map.
    """
    levels = _levels(values, height, width)
    alpha = np.rint(levels * np.float32(opacity)).astype(np.uint8)
    return Image.fromarray(np.dstack([colour_table(colour_map)[levels], alpha]))


def heat_map_png(values: NDArray[np.float32], height: int, width: int, colour_map: str = "inferno") -> bytes:
    """:func:`heat_map_image` as the bytes of a PNG file; equal maps give equal bytes."""
    buffer = BytesIO()
    heat_map_image(values, height, width, colour_map).save(buffer, "PNG")
    return buffer.getvalue()


def _levels(values: NDArray[np.float32], height: int, width: int) -> NDArray[np.uint8]:
    """The resized map in steps of 1/255 of its largest value."""
    large = bicubic(values, height, width)
    peak = float(large.max())
    share = large / peak if peak > 0 else np.zeros_like(large)
    return np.asarray(np.rint(share.clip(0, 1) * 255), dtype=np.uint8)
