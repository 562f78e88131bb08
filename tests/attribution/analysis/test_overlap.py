"""Overlaps of maps against counts by hand."""

from __future__ import annotations

import numpy as np
import pytest

from attribution.analysis.overlap import LATER_RUN, PAPER, Threshold, hard_overlaps, mask_iou, soft_overlaps
from attribution.errors import AnalysisError


def mask(*cells: tuple[int, int]) -> np.ndarray:
    grid = np.zeros((4, 4), dtype=bool)
    for cell in cells:
        grid[cell] = True
    return grid


LEFT = mask((0, 0), (0, 1), (1, 0), (1, 1))
LEFT_CORNER = mask((0, 0))
STRADDLING = mask((1, 1), (1, 2), (2, 1), (2, 2))
RIGHT = mask((3, 3), (3, 2))
EMPTY = mask()


@pytest.mark.parametrize(
    ("dependent", "head", "iou", "iod", "ioh"),
    [
        (LEFT, RIGHT, 0, 0, 0),
        (LEFT_CORNER, LEFT, 1 / 4, 1, 1 / 4),
        (LEFT, LEFT_CORNER, 1 / 4, 1 / 4, 1),
        (LEFT, LEFT, 1, 1, 1),
        (LEFT, STRADDLING, 1 / 7, 1 / 4, 1 / 4),
        (EMPTY, LEFT, 0, 0, 0),
        (LEFT, EMPTY, 0, 0, 0),
        (EMPTY, EMPTY, 0, 0, 0),
    ],
    ids=["disjoint", "nested", "nested the other way", "equal", "one of seven cells", "empty d", "empty h", "empty"],
)
@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
def test_two_masks(dependent, head, iou, iod, ioh, soft):
    masks = np.stack([dependent, head])
    found = soft_overlaps(masks.astype(np.float32)) if soft else hard_overlaps(masks)
    assert found.iou[0, 1] == found.iou[1, 0] == pytest.approx(iou)
    assert found.over_area[0, 1] == pytest.approx(iod)
    assert found.over_area[1, 0] == pytest.approx(ioh)
    assert mask_iou(dependent, head) == pytest.approx(iou)
    assert list(found.areas) == [dependent.sum(), head.sum()]


def test_soft_maps_count_the_lower_and_the_higher_value():
    maps = np.array([[[2.0, 1.0], [0.0, 0.0]], [[0.5, 1.0], [1.0, 0.0]]], dtype=np.float32)
    found = soft_overlaps(maps)  # normalised: 1, 0.5, 0, 0 and 0.5, 1, 1, 0
    assert found.iou[0, 1] == pytest.approx((0.5 + 0.5) / (1 + 1 + 1))
    assert found.over_area[0, 1] == pytest.approx(1.0 / 1.5)
    assert found.over_area[1, 0] == pytest.approx(1.0 / 2.5)


def test_a_relative_threshold_follows_each_maps_own_largest_value():
    maps = np.array([[[10.0, 4.0], [3.9, 0.0]], [[0.01, 0.004], [0.002, 0.0]], [[0, 0], [0, 0]]], dtype=np.float32)
    masks = PAPER.masks(maps)
    assert masks.tolist() == [[[1, 1], [0, 0]], [[1, 1], [0, 0]], [[0, 0], [0, 0]]]


def test_an_absolute_threshold_is_on_the_sum_over_the_steps():
    means = np.array([[[0.006, 0.004], [0.0051, 0.0]]], dtype=np.float32)
    assert LATER_RUN.masks(means, steps=30).tolist() == [[[1, 0], [1, 0]]]  # 0.18, 0.12, 0.153, 0
    assert not LATER_RUN.masks(means, steps=10).any()


def test_counts_stay_exact_on_maps_as_large_as_images():
    masks = np.ones((2, 2048, 2048), dtype=bool)
    masks[1, 0, 0] = False
    assert hard_overlaps(masks).shared[0, 1] == 2048 * 2048 - 1


def test_no_words_have_no_overlaps():
    assert hard_overlaps(np.zeros((0, 4, 4), dtype=bool)).iou.shape == (0, 0)
    assert soft_overlaps(np.zeros((0, 4, 4), dtype=np.float32)).iou.shape == (0, 0)


@pytest.mark.parametrize(
    ("value", "kind"), [(0, "relative"), (1.1, "relative"), (-0.1, "absolute"), (float("nan"), "absolute")]
)
def test_a_threshold_that_marks_all_or_nothing_is_refused(value, kind):
    with pytest.raises(AnalysisError, match="threshold"):
        Threshold(value, kind)


def test_masks_of_two_sizes_are_refused():
    with pytest.raises(AnalysisError, match=r"\(4, 4\) and \(2, 2\)"):
        mask_iou(LEFT, np.ones((2, 2), dtype=bool))
