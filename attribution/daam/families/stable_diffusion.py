"""Stable Diffusion 1.x and 2.x: a U-Net over the tokens of one CLIP text encoder."""

from __future__ import annotations

from typing import Any

from attribution.daam.families import prompts, unet
from attribution.daam.families.base import Arguments, Family, Request


def request(pipeline: Any, arguments: Arguments) -> Request:
    """Read the arguments of ``encode_prompt``."""
    return Request(
        alignments=prompts.alignments(pipeline, pipeline.tokenizer, arguments["prompt"], arguments["prompt_embeds"]),
        images_per_prompt=arguments["num_images_per_prompt"] or 1,
        guided=bool(arguments["do_classifier_free_guidance"]),
    )


FAMILY = Family(
    name="stable-diffusion",
    pipelines=frozenset(
        {
            "StableDiffusionPipeline",
            "StableDiffusionImg2ImgPipeline",
            "StableDiffusionInpaintPipeline",
            "StableDiffusionPAGPipeline",
            "StableDiffusionPAGImg2ImgPipeline",
            "StableDiffusionPAGInpaintPipeline",
        }
    ),
    denoiser="unet",
    processors=unet.PROCESSORS,
    layers=unet.layers,
    default_layers=unet.DEFAULT_LAYERS,
    request=request,
    run=unet.run,
)
