"""Colours and transparency of drawn maps."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from attribution.maps.colours import COLOUR_MAPS, colour_table
from attribution.maps.overlay import heat_map_image, heat_map_png, overlay

RAMP = np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4)


@pytest.mark.parametrize(
    ("name", "darkest", "brightest"),
    [
        ("inferno", (0, 0, 4), (252, 255, 164)),
        ("cividis", (0, 34, 78), (254, 232, 56)),
        ("grey", (0, 0, 0), (255, 255, 255)),
    ],
)
def test_tables_end_where_published(name: str, darkest: tuple[int, ...], brightest: tuple[int, ...]) -> None:
    table = colour_table(name).astype(int)
    assert table.shape == (256, 3)
    assert np.abs(table[0] - darkest).max() <= 1
    assert np.abs(table[255] - brightest).max() <= 1


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_tables_grow_lighter_all_the_way(name: str) -> None:
    lightness = colour_table(name) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > -0.5).all()
    assert lightness[-1] - lightness[0] > 150


def test_unknown_colour_map_names_the_known() -> None:
    with pytest.raises(ValueError, match="inferno, cividis, grey"):
        colour_table("jet")


def test_the_highest_value_hides_most_and_zero_nothing() -> None:
    alpha = np.asarray(heat_map_image(RAMP, 4, 4))[..., 3]
    assert (alpha[0, 0], alpha[3, 3]) == (0, round(0.85 * 255))
    assert (np.diff(alpha.ravel().astype(int)) > 0).all()


def test_an_all_zero_map_leaves_the_image_alone() -> None:
    image = Image.effect_noise((12, 9), 80).convert("RGB")
    assert np.array_equal(overlay(image, np.zeros((3, 3), np.float32)), image)


def test_the_overlay_is_the_blend_of_both() -> None:
    peak = np.asarray(overlay(Image.new("RGB", (4, 4), "white"), RAMP, "grey"))[3, 3]
    # White hidden by white stays white; black under white by 0.85 becomes 217.
    assert peak.tolist() == [255, 255, 255]
    assert np.asarray(overlay(Image.new("L", (4, 4), 0), RAMP, "grey"))[3, 3].tolist() == [217, 217, 217]


def test_the_png_is_the_image_and_repeats() -> None:
    content = heat_map_png(RAMP, 10, 14, "cividis")
    image = Image.open(BytesIO(content))
    assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (14, 10))
    assert np.array_equal(image, heat_map_image(RAMP, 10, 14, "cividis"))
    assert content == heat_map_png(RAMP, 10, 14, "cividis")
