"""Stable Diffusion 1.x and 2.x: a U-Net whose ``attn2`` layers attend from latent positions to CLIP's tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from attribution.daam.alignment import align
from attribution.daam.families.base import Family, Request
from attribution.errors import TraceError
from attribution.maps.alignment import Alignment


def layers(unet: nn.Module) -> dict[str, Any]:
    """The cross-attention of the down- and up-sampling blocks, in the U-Net's order.

    The middle block is not among them: the paper's map is the sum of F_down and F_up (section 2).
    """
    found = dict(unet.named_modules())
    return {name: module for name, module in found.items() if name.endswith(".attn2") and "mid_block" not in name}


def request(pipeline: Any, arguments: Mapping[str, Any]) -> Request:
    """Read the arguments of ``encode_prompt``."""
    return Request(
        alignments=_alignments(pipeline, pipeline.tokenizer, arguments),
        images_per_prompt=arguments["num_images_per_prompt"] or 1,
        guided=bool(arguments["do_classifier_free_guidance"]),
    )


def _alignments(pipeline: Any, tokenizer: Any, arguments: Mapping[str, Any]) -> tuple[Alignment, ...]:
    prompt, embeddings = arguments["prompt"], arguments["prompt_embeds"]
    if embeddings is not None or prompt is None:
        return (Alignment(None),) * len(embeddings if embeddings is not None else [])
    prompts = [prompt] if isinstance(prompt, str) else prompt
    return tuple(align(tokenizer, _as_written(pipeline, tokenizer, text)) for text in prompts)


def _as_written(pipeline: Any, tokenizer: Any, prompt: str) -> str:
    """``prompt``, unless a textual inversion of several vectors rewrites it: its offsets would be another text's."""
    converted = pipeline.maybe_convert_prompt(prompt, tokenizer)
    if converted != prompt:
        raise TraceError(f"a textual inversion turns the prompt {prompt!r} into {converted!r}; pass the latter")
    return prompt


FAMILY = Family(
    pipelines=frozenset({"StableDiffusionPipeline"}),
    denoiser="unet",
    processors=frozenset({"AttnProcessor2_0", "FusedAttnProcessor2_0"}),
    layers=layers,
    request=request,
)
