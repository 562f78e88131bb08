"""Heat maps as pictures of a generation's size."""

from __future__ import annotations

import io
import math

import numpy as np
from django.http import HttpRequest
from numpy.typing import NDArray
from PIL import Image

from annotation_site.stimuli.models import Generation
from attribution.maps.colours import COLOUR_MAPS
from attribution.maps.overlay import heat_map_image

LAYERS = ("map", "overlay")
CHOICES = {"colours": COLOUR_MAPS, "layer": LAYERS}
# Small enough to travel fast, large enough that the browser's own scaling adds no visible steps.
SMALLEST_SIDE = 256


def drawn(request: HttpRequest, values: NDArray[np.float32], generation: Generation) -> bytes:
    """A map as the query's ``layer`` in its ``colours``: PNG of a whole multiple of the image's size."""
    height, width = canvas_size(generation)
    picture = heat_map_image(values, height, width, request.GET.get("colours", COLOUR_MAPS[0]))
    return png(picture if request.GET.get("layer") == "overlay" else picture.convert("RGB"))


def canvas_size(generation: Generation) -> tuple[int, int]:
    """Height and width in pixels that a map of this image is drawn at."""
    height, width = generation.recipe.height, generation.recipe.width
    scale = max(1, math.ceil(SMALLEST_SIDE / min(height, width)))
    return height * scale, width * scale


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
