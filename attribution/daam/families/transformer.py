"""What diffusion transformers have in common: one grid of positions, patches of the latents, in every layer."""

from __future__ import annotations

from typing import Any

from torch import nn

Grid = tuple[int, int]


def patches(latents: tuple[int, ...], patch_size: int) -> Grid:
    """The positions of ``latents`` [..., height, width] when each covers ``patch_size`` squared of them."""
    height, width = latents[-2:]
    return height // patch_size, width // patch_size


def attention(denoiser: nn.Module, ending: str) -> dict[str, Any]:
    """The attention modules of all blocks whose names end so, by name and in the model's order."""
    return {name: module for name, module in denoiser.named_modules() if name.endswith(ending)}
