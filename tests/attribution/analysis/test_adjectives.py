"""Colour differences against published values, and shares counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from attribution.analysis.adjectives import cielab, colour_change, measure, spread
from attribution.errors import AnalysisError


# CIELAB of sRGB's corners under D65, as in B. Lindbloom's calculator (www.brucelindbloom.com).
@pytest.mark.parametrize(
    ("colour", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_cielab(colour, lab):
    assert cielab(np.array(colour, dtype=np.uint8)) == pytest.approx(lab, abs=0.02)


def test_dark_greys_are_on_the_straight_part():
    # (1/255)/12.92 of white's luminance; L* = 903.3 Y below 0.008856.
    assert cielab(np.array([1, 1, 1], dtype=np.uint8))[0] == pytest.approx(903.3 / 255 / 12.92, abs=1e-3)


def test_the_change_outside_of_the_noun():
    before = np.zeros((2, 2, 3), dtype=np.uint8)
    after = before.copy()
    after[0, 0] = 255
    after[1, 1] = 255
    change = colour_change(before, after)
    assert change == pytest.approx(np.array([[100, 0], [0, 100]]), abs=0.01)
    noun = np.array([[True, True], [True, False]])
    assert measure(change, noun) == {"change": pytest.approx(50, abs=0.01), "outside": 0.5, "outside_area": 0.25}
    assert measure(change * 0, noun)["outside"] == 0


def test_the_adjectives_map_beyond_the_nouns():
    adjective = np.array([[4.0, 2.0], [1.0, 1.0]], dtype=np.float32)
    found = spread(adjective, adjective >= 2, np.array([[True, False], [False, True]]))
    assert found == {"spread": 1 / 2, "spread_mass": 3 / 8}
    nothing = np.zeros((2, 2), dtype=np.float32)
    assert spread(nothing, nothing > 0, nothing > 0) == {"spread": 0, "spread_mass": 0}


def test_images_of_two_sizes_are_refused():
    with pytest.raises(AnalysisError, match="one size"):
        colour_change(np.zeros((2, 2, 3), dtype=np.uint8), np.zeros((2, 3, 3), dtype=np.uint8))
