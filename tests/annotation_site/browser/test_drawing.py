"""Chromium draws heat maps as the server does: within one level of 255, for any shape, size and colours."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from attribution.maps.colours import colour_table
from attribution.maps.overlay import heat_map_image, overlay

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.any_database]

# Rows and columns of the map; height and width of the drawing: enlarged, odd, oblong, as it is, and made smaller.
SIZES = [
    (64, 64, 512, 512),
    (16, 16, 256, 256),
    (96, 64, 257, 401),
    (7, 5, 256, 100),
    (32, 32, 32, 32),
    (64, 48, 40, 30),
]
DRAW = """
async ({map, table, height, width}) => {
  const drawing = await import("/static/js/drawing.js");
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const shown = drawing.levels(drawing.read(bytes(map).buffer), height, width);
  const canvas = Object.assign(document.createElement("canvas"), {height, width});
  drawing.paint(canvas, shown, bytes(table), true);
  const url = canvas.toDataURL();
  drawing.paint(canvas, shown, bytes(table), false);
  const over = Object.assign(document.createElement("canvas"), {height, width});
  const context = over.getContext("2d");
  context.fillStyle = "rgb(200 60 60)";
  context.fillRect(0, 0, width, height);
  context.drawImage(canvas, 0, 0);
  return [btoa(String.fromCharCode(...shown.slice(0, 50000))), url, over.toDataURL()];
}
"""


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def picture(url: str) -> np.ndarray:
    content = base64.b64decode(url.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def maps() -> list[tuple[np.ndarray, int, int, str]]:
    """Noise, whose steps from cell to cell are the steepest there are, a blob, and maps without any step."""
    rng = np.random.default_rng(0)
    cases = []
    for number, (rows, columns, height, width) in enumerate(SIZES):
        colours = ("inferno", "cividis", "grey")[number % 3]
        cases.append((rng.integers(0, 256, (rows, columns), dtype=np.uint8), height, width, colours))
        y, x = np.mgrid[0:rows, 0:columns]
        blob = np.exp(-((y - rows / 3) ** 2 + (x - columns / 2) ** 2) / (2 * (rows / 6) ** 2))
        cases.append((np.rint(255 * blob).astype(np.uint8), height, width, colours))
    flat = [np.full((4, 4), value, dtype=np.uint8) for value in (0, 255, 3)]
    return cases + [(values, 64, 64, "inferno") for values in flat]


def test_levels_and_colours_are_those_of_the_server(drive):
    cases = maps()

    def draw(visitor):
        visitor.page.goto("/")
        drawn = []
        for values, height, width, colours in cases:
            content = np.array(values.shape, dtype="<u2").tobytes() + values.tobytes()
            told = {"map": text(content), "table": text(colour_table(colours).tobytes())}
            drawn.append(visitor.page.evaluate(DRAW, {**told, "height": height, "width": width}))
        return drawn

    for (values, height, width, colours), (levels, opaque, over) in zip(cases, drive(draw), strict=True):
        case = f"{values.shape} at {height} x {width} in {colours}"
        grey = np.asarray(heat_map_image(values.astype(np.float32), height, width, "grey").convert("RGB"))[..., 0]
        mine = np.frombuffer(base64.b64decode(levels), dtype=np.uint8).astype(int)
        assert abs(mine - grey.ravel()[: len(mine)]).max() <= 1, case
        # One level up or down the table is as far as a colour may be off.
        table, expected = colour_table(colours).astype(int), grey.astype(int)
        near = [table[np.clip(expected + step, 0, 255)] for step in (-1, 0, 1)]
        assert min_distance(picture(opaque), near) == 0, case
        base = Image.new("RGB", (width, height), (200, 60, 60))
        together = np.asarray(overlay(base, values.astype(np.float32), colours)).astype(int)
        # One for the level, and one for browsers keep colours multiplied by their opacity, in whole numbers.
        assert abs(picture(over) - together).max() <= 2, case


def min_distance(shown: np.ndarray, allowed: list[np.ndarray]) -> int:
    """The largest distance of a pixel from the nearest of the colours allowed there."""
    return int(np.min([abs(shown - colour).max(axis=2) for colour in allowed], axis=0).max())
