"""Contact sheets: pictures in a grid with their captions underneath."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont


def sheet(
    pictures: Sequence[NDArray[np.uint8] | Image.Image], texts: Sequence[str], *, columns: int = 6, scale: int = 3
) -> Image.Image:
    """A sheet of ``pictures`` (each (height, width, 3) uint8, all of one size), in reading order."""
    images = [p if isinstance(p, Image.Image) else Image.fromarray(p) for p in pictures]
    width, height = (side * scale for side in images[0].size)
    rows = -(-len(images) // columns)
    page = Image.new("RGB", (columns * (width + 8) + 8, rows * (height + 44) + 8), (128, 128, 128))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(11)
    for index, (image, text) in enumerate(zip(images, texts, strict=True)):
        x, y = 8 + index % columns * (width + 8), 8 + index // columns * (height + 44)
        page.paste(image.resize((width, height), Image.Resampling.NEAREST), (x, y))
        pen.multiline_text((x, y + height + 2), textwrap.fill(text, width // 6), (255, 255, 255), font, spacing=0)
    return page
