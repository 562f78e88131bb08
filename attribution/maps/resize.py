"""Bicubic resizing as two matrix products, the same for NumPy and torch.

Keys' cubic convolution with a = -0.75, pixel centres at half-integers (``align_corners=False``) and edge pixels
repeated: what ``torch.nn.functional.interpolate(mode="bicubic")`` computes. Being linear and separable, a
resize of any number of maps is ``rows @ maps @ columns.T``.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_A = -0.75


def bicubic(maps: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Resize ``maps`` [..., rows, columns] to [..., height, width].

    The result may undershoot below the smallest and overshoot above the largest value of the input.
    Raises ValueError when ``height`` or ``width`` is below 1.
    """
    if height < 1 or width < 1:
        raise ValueError(f"cannot resize to {height} x {width}: both sides must be at least 1")
    rows = bicubic_weights(maps.shape[-2], height)
    columns = bicubic_weights(maps.shape[-1], width)
    return np.asarray(rows @ maps @ columns.T, dtype=np.float32)


@lru_cache(maxsize=64)
def bicubic_weights(source: int, target: int) -> NDArray[np.float32]:
    """The matrix [target, source] that resizes one axis; every row sums to 1."""
    # In float32 throughout, as torch computes them: its rounding shows where maps are made smaller.
    centres = (np.arange(target, dtype=np.float32) + np.float32(0.5)) * np.float32(source / target) - np.float32(0.5)
    first = np.floor(centres).astype(int)
    weights = np.zeros((target, source), dtype=np.float32)
    for tap in range(-1, 3):
        columns = np.clip(first + tap, 0, source - 1)
        np.add.at(weights, (np.arange(target), columns), _kernel(np.abs(centres - (first + tap).astype(np.float32))))
    weights.setflags(write=False)
    return weights


def _kernel(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keys' cubic convolution kernel at ``distance`` in [0, 2] source pixels."""
    near = ((_A + 2) * distance - (_A + 3)) * distance**2 + 1
    far = _A * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, far)
