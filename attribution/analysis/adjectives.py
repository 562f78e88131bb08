"""Adjectival entanglement: one adjective swapped, the seed kept; how much of what changes is not the noun's?

The change of an image is the distance of its colours from the first image's in CIELAB (CIE 1976: Euclidean). Source of
the question: Tang et al., "What the DAAM", ACL 2023, section 5.2, which shows pictures; the numbers are ours.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from attribution.analysis.overlap import Booleans, Maps
from attribution.errors import AnalysisError

MEASURES: Final = ("change", "outside", "outside_area", "spread", "spread_mass")

# IEC 61966-2-1 (sRGB) to XYZ with D65's white.
_TO_XYZ: Final = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE: Final = _TO_XYZ.sum(axis=1)


def cielab(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """sRGB colours uint8 [..., 3] as CIELAB (D65, 2 degrees): L* from 0 to 100, a*, b*."""
    linear = pixels / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    share = linear @ _TO_XYZ.T / _WHITE
    root = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def colour_change(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The distance of two images' colours, pixel by pixel, [height, width]; 2.3 is about what people just notice."""
    if first.shape != second.shape:
        raise AnalysisError(f"images of shapes {first.shape} and {second.shape}: a swap set has one size")
    return np.asarray(np.linalg.norm(cielab(first) - cielab(second), axis=-1))


def measure(change: NDArray[np.float64], noun: Booleans) -> dict[str, float]:
    """``change``: its mean; ``outside``: its share outside of the mask ``noun`` of the same shape, 0 where nothing
    changed; ``outside_area``: the share of the image outside, which is what an even change would give."""
    total = float(change.sum())
    outside = float(change[~noun].sum()) / total if total else 0.0
    return {"change": float(change.mean()), "outside": outside, "outside_area": 1 - float(noun.mean())}


def spread(adjective: Maps, adjective_mask: Booleans, noun_mask: Booleans) -> dict[str, Any]:
    """How far an adjective's map goes beyond the noun's hard map: ``spread``, the share of its own hard map's area;
    ``spread_mass``, the share of the sum of its values. 0 for an empty map."""
    area, mass = int(adjective_mask.sum()), float(adjective.sum())
    beyond = int((adjective_mask & ~noun_mask).sum())
    return {
        "spread": beyond / area if area else 0.0,
        "spread_mass": float(adjective[~noun_mask].sum()) / mass if mass else 0.0,
    }
