"""A contact sheet: an image and the overlays of its words, side by side, each with its name."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from attribution.maps.heat_maps import HeatMap

GAP, CAPTION, SIDE = 8, 22, 160


def contact_sheet(image: Image.Image, words: Sequence[HeatMap], colour_map: str = "inferno") -> Image.Image:
    """The image and one overlay a word in a grid that is about as wide as high, RGB on white; small ones enlarged."""
    image = _legible(image)
    pictures = [image.convert("RGB"), *(word.overlay(image, colour_map) for word in words)]
    names = ["", *(word.text for word in words)]
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    cell_width, cell_height = image.width + GAP, image.height + CAPTION + GAP
    sheet = Image.new("RGB", (columns * cell_width + GAP, rows * cell_height + GAP), "white")
    for index, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        corner = (GAP + index % columns * cell_width, GAP + index // columns * cell_height)
        sheet.paste(picture, corner)
        _write(sheet, name, corner[0], corner[1] + image.height + 3)
    return sheet


def _legible(image: Image.Image) -> Image.Image:
    """``image``, or a whole multiple of its size that reaches ``SIDE`` pixels."""
    factor = -(-SIDE // min(image.size))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


def _write(sheet: Image.Image, name: str, left: int, top: int) -> None:
    """The name in Pillow's own font; letters that it lacks come out as boxes."""
    ImageDraw.Draw(sheet).text((left, top), name, fill="black", font=ImageFont.load_default(14))
