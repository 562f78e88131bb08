"""The NumPy resize against torch's own, which it must equal."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from attribution.maps.resize import bicubic, bicubic_weights

SIZES = [
    ((8, 8), (64, 64)),
    ((5, 7), (40, 11)),
    ((1, 1), (4, 6)),
    ((2, 3), (3, 2)),
    ((64, 48), (7, 50)),
    ((6, 6), (6, 6)),
]


@pytest.mark.parametrize(("source", "target"), SIZES)
def test_equals_torch_bicubic(source: tuple[int, int], target: tuple[int, int]) -> None:
    maps = np.random.default_rng(1).normal(size=(2, 3, *source)).astype(np.float32)
    theirs = interpolate(torch.from_numpy(maps), size=target, mode="bicubic", align_corners=False).numpy()
    ours = bicubic(maps, *target)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_doubling_by_hand() -> None:
    # Keys' kernel, a = -0.75, at distances 0.25, 0.75, 1.25, 1.75: 0.87890625, 0.26171875, -0.10546875, -0.03515625.
    # Output 1 lies at 0.25 between pixels 0 and 1, its left neighbour is clamped onto pixel 0.
    assert bicubic_weights(3, 6)[1] == pytest.approx([0.87890625 - 0.10546875, 0.26171875, -0.03515625])


@pytest.mark.parametrize("source", [1, 2, 5, 64])
def test_rows_sum_to_one_so_that_a_constant_stays(source: int) -> None:
    assert bicubic_weights(source, 37).sum(axis=1) == pytest.approx(np.ones(37), abs=1e-6)


def test_no_size_below_one() -> None:
    with pytest.raises(ValueError, match="0 x 4"):
        bicubic(np.ones((2, 2), np.float32), 0, 4)
