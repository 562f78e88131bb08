"""Keeping attention apart, by step, layer or head: for looking closely at few images, since it takes memory.

Kept are float32 probabilities at each layer's own resolution: 4 bytes x images x tokens x the sum over layers of
heads x positions, and that times the steps where they are kept apart. Stable Diffusion 1.5 at 512 x 512 keeps
66 MB for all 77 tokens of one image, 2.0 GB for 30 steps apart, and 0.9 MB and 26 MB for one token. What comes out is
4 bytes x images x tokens x height x width x entries more.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from attribution.daam.sums import Grid, as_grid, enlarged, levels
from attribution.errors import TraceError
from attribution.maps.heat_maps import Floats, HeatMaps
from attribution.maps.raw import AXES, RawMaps

RAW_LIMIT = 2 << 30
"""Bytes of raw maps that a call may keep unless it is told otherwise."""

Head = tuple[str, int]


def axes_of(names: Collection[str]) -> tuple[str, ...]:
    """The axes asked for, in the order of AXES; heads are those of layers, so "heads" stands in for "layers".

    Raises ValueError for an unknown name.
    """
    names = (names,) if isinstance(names, str) else names
    unknown = set(names) - set(AXES)
    if unknown:
        raise ValueError(f"raw= names {', '.join(sorted(unknown))}; its axes are {', '.join(AXES)}")
    return tuple(axis for axis in AXES if axis in names and not (axis == "layers" and "heads" in names))


class RawSums:
    """The probabilities of one call, kept for each head, and each step where ``axes`` has steps."""

    def __init__(self, axes: tuple[str, ...], limit: int) -> None:
        self._axes = axes
        self._limit = limit
        self._kept: dict[Head, dict[int, Tensor]] = {}
        self._bytes = 0
        self._summands = 0
        self._names: dict[str, tuple[Any, ...]] = {}

    def add(self, step: int, layer: str, heads: Sequence[int], probabilities: Tensor) -> None:
        """Add float32 [images, n, tokens, positions] of the first n of ``heads``; raises TraceError past the limit."""
        self._summands += probabilities.shape[1]
        step = step if "steps" in self._axes else 0
        for head, values in zip(heads, probabilities.unbind(dim=1), strict=False):
            steps = self._kept.setdefault((layer, head), {})
            if step in steps:
                steps[step] += values.cpu()
            else:
                self._count(values.numel() * 4)
                steps[step] = values.cpu().clone()

    def shares(self, grid: Grid) -> Floats:
        """Each entry's share of the maps' means, float32 [images, *axes, tokens, *grid]; empties what was kept."""
        labels = self._labels()
        first = next(iter(next(iter(self._kept.values())).values()))
        sizes = tuple(len(labels[axis]) for axis in self._axes)
        images, tokens, _ = first.shape
        self._count(4 * images * tokens * math.prod(sizes) * math.prod(grid))
        shares = np.zeros((images, *sizes, tokens, *grid), dtype=np.float32)
        for (layer, head), steps in self._kept.items():
            for step, values in _enlarged(steps, grid):
                place = {"steps": step, "layers": layer, "heads": (layer, head)}
                entry: tuple[Any, ...] = tuple(labels[axis].index(place[axis]) for axis in self._axes)
                shares[(slice(None), *entry)] += values / self._summands
        self._names = labels
        self._kept.clear()
        return shares

    def maps(self, values: Floats, of: HeatMaps) -> RawMaps:
        """One image's shares beside its maps."""
        values = np.ascontiguousarray(values[..., : len(of.kept), :, :])
        return RawMaps(values, self._axes, self._names, of.alignment, of.kept)

    def _labels(self) -> dict[str, tuple[object, ...]]:
        found = {
            "steps": tuple(sorted({step for steps in self._kept.values() for step in steps})),
            "layers": tuple(dict.fromkeys(layer for layer, _ in self._kept)),
            "heads": tuple(self._kept),
        }
        return {axis: found[axis] for axis in self._axes}

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._limit:
            raise TraceError(
                f"raw maps take more than {self._limit >> 20} MB: name fewer words=, steps= or layers=, draw fewer "
                "images at once, or raise raw_limit= (in bytes)"
            )


def _enlarged(steps: dict[int, Tensor], grid: Grid) -> Iterator[tuple[int, Floats]]:
    """Each step's maps at the full size, set to zero wherever the sum over steps is clamped: their sum is exact."""
    own = next(size for size in levels(grid) if math.prod(size) == next(iter(steps.values())).shape[-1])
    if own == grid:
        yield from ((step, as_grid(maps, grid).numpy()) for step, maps in steps.items())
        return
    large = {step: enlarged(as_grid(maps, own), grid) for step, maps in steps.items()}
    positive = torch.stack(list(large.values())).sum(dim=0) > 0
    yield from ((step, (maps * positive).numpy()) for step, maps in large.items())
