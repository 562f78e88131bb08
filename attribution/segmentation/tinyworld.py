"""The tiny world's own segmenter: things by colour and shape, grounds by colour; see ``attribution.tinyworld``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from attribution.errors import SegmentationError
from attribution.segmentation.base import Masks, known
from attribution.tinyworld.scenes import SIDE
from attribution.tinyworld.segmenter import find, ground_mask, ground_of

#: The nouns by which captions name a ground, beside its own name.
_GROUNDS = {"background": "plain"}


class TinyWorld:
    """All things of a noun as one mask; names such as Mars too. Raises SegmentationError for other image sizes."""

    name = "tinyworld"

    def masks(self, image: Image.Image, nouns: Sequence[str], *, generation: str = "") -> Masks:
        if image.size != (SIDE, SIDE):
            raise SegmentationError(
                f"the image of {generation!r} is {image.width} x {image.height} pixels: the tiny world's segmenter "
                f"knows only its own pictures of {SIDE} x {SIDE}; use mask2former or clipseg"
            )
        pixels = np.asarray(image.convert("RGB"))
        things = find(pixels)
        ground = ground_of(pixels)
        found = {}
        for noun in nouns:
            own = [thing.mask for thing in things if thing.noun.lower() == noun.lower()]
            found[noun] = np.any(own, axis=0) if own else np.zeros((SIDE, SIDE), dtype=bool)
            if not own and _GROUNDS.get(noun.lower(), noun.lower()) == ground:
                found[noun] = ground_mask(pixels, ground)
        return known(found)
