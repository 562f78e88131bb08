"""Running sums of attention probabilities, and the mean map they amount to.

Source: Tang et al., "What the DAAM", ACL 2023, section 2: the sum over steps, layers and heads of the attention
maps, each resized (bicubic) to the size of the latents and clamped at zero, for the cubic kernel undershoots.
Resizing is linear, so the steps of one head are summed first; heads and layers may not be, because of the clamp.
Everything here is divided by the number of summands, which changes no normalised map.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from attribution.errors import TraceError
from attribution.maps.resize import bicubic_weights

Grid = tuple[int, int]


class MapSums:
    """Sums over steps for the images of one pipeline call.

    ``grid`` is the latents' height and width. Maps at that resolution need no resizing and are summed over heads
    and layers at once; smaller ones are kept a layer and head apart until :meth:`means`, or, when not ``exact``,
    are summed over the heads and layers of one resolution.
    """

    def __init__(self, grid: Grid, *, exact: bool = True) -> None:
        self.grid = grid
        self._exact = exact
        self._grids = {height * width: (height, width) for height, width in levels(grid)}
        self._full: Tensor | None = None
        self._small: dict[str, Tensor] = {}
        self._summands = 0

    def add(self, layer: str, probabilities: Tensor) -> None:
        """Add one step of one layer: float32 [images, heads, tokens, positions], which is kept or overwritten.

        Raises TraceError when the number of positions fits no level of the U-Net.
        """
        heads, positions = probabilities.shape[1], probabilities.shape[3]
        if positions not in self._grids:
            raise TraceError(f"layer {layer!r} attends from {positions} positions, no level of latents {self.grid}")
        self._summands += heads
        if self._grids[positions] == self.grid:
            self._full = _plus(self._full, probabilities.sum(dim=1))
        elif self._exact:
            self._small[layer] = _plus(self._small.get(layer), probabilities)
        else:
            level = str(positions)
            self._small[level] = _plus(self._small.get(level), probabilities.sum(dim=1, keepdim=True))

    def means(self) -> Tensor:
        """Mean maps over steps, layers and heads, float32 [images, tokens, height, width]; empties the sums."""
        total = None if self._full is None else as_grid(self._full, self.grid)
        for layer in tuple(self._small):
            total = _plus(total, self._enlarged(self._small.pop(layer)))
        if total is None:
            raise TraceError("no attention was recorded: there is nothing to take the mean of")
        self._full = None
        return total.div_(self._summands)

    def _enlarged(self, sums: Tensor) -> Tensor:
        """Sum over heads of the resized, clamped maps; one head at a time, for the sake of memory."""
        images, _, tokens, positions = sums.shape
        total = sums.new_zeros(images, tokens, *self.grid)
        for head in sums.unbind(dim=1):
            total += enlarged(as_grid(head, self._grids[positions]), self.grid).clamp_(min=0)
        return total


def enlarged(maps: Tensor, grid: Grid) -> Tensor:
    """``maps`` [..., rows, columns] resized (bicubic) to [..., *grid]; not clamped."""
    return _weights(maps.shape[-2], grid[0], maps) @ maps @ _weights(maps.shape[-1], grid[1], maps).T


def levels(grid: Grid) -> Iterator[Grid]:
    """The latents' size and its halvings, rounded up as a strided convolution does, down to one position."""
    height, width = grid
    yield height, width
    while height * width > 1:
        height, width = -(-height // 2), -(-width // 2)
        yield height, width


def as_grid(maps: Tensor, grid: Grid) -> Tensor:
    """``maps`` [..., positions] as [..., *grid]."""
    return maps.view(*maps.shape[:-1], *grid)


def _plus(total: Tensor | None, term: Tensor) -> Tensor:
    return term if total is None else total.add_(term)


def _weights(source: int, target: int, like: Tensor) -> Tensor:
    return torch.tensor(bicubic_weights(source, target), device=like.device)
