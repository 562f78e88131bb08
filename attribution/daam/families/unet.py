"""What all U-Nets of diffusers have in common: layers that attend from latent positions to the prompt's tokens."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from attribution.daam.families.base import Arguments, Run

PROCESSORS = frozenset({"AttnProcessor2_0", "FusedAttnProcessor2_0"})

DEFAULT_LAYERS = ("down_blocks.", "up_blocks.")
"""Not the middle block: the paper's map is the sum of F_down and F_up (section 2)."""


def layers(unet: nn.Module) -> dict[str, Any]:
    """The cross-attention of all blocks, in the U-Net's order.

    Usually that is every ``attn2``; a U-Net built with ``only_cross_attention`` attends to the prompt in ``attn1`` too.
    """
    attention = {name: module for name, module in unet.named_modules() if name.endswith((".attn1", ".attn2"))}
    return {name: module for name, module in attention.items() if module.is_cross_attention}


def run(_: nn.Module, arguments: Arguments, negatives: list[Tensor]) -> Run:
    """The latents are the finest positions; deeper blocks halve them."""
    height, width = arguments["sample"].shape[-2:]
    return Run((height, width))
