"""Stable Diffusion 1.x and 2.x: a U-Net over the tokens of one CLIP text encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attribution.daam.families import prompts, unet
from attribution.daam.families.base import Family, Request


def request(pipeline: Any, arguments: Mapping[str, Any]) -> Request:
    """Read the arguments of ``encode_prompt``."""
    return Request(
        alignments=prompts.alignments(pipeline, pipeline.tokenizer, arguments["prompt"], arguments["prompt_embeds"]),
        images_per_prompt=arguments["num_images_per_prompt"] or 1,
        guided=bool(arguments["do_classifier_free_guidance"]),
    )


FAMILY = Family(
    pipelines=frozenset(
        {
            "StableDiffusionPipeline",
            "StableDiffusionImg2ImgPipeline",
            "StableDiffusionInpaintPipeline",
            "StableDiffusionPAGPipeline",
        }
    ),
    denoiser="unet",
    processors=unet.PROCESSORS,
    layers=unet.layers,
    default_layers=unet.DEFAULT_LAYERS,
    request=request,
)
