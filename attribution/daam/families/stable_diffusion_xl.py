"""Stable Diffusion XL: a U-Net over 77 positions, each of which joins one token of either text encoder.

Both tokenizers have CLIP's vocabulary: one text has the same tokens in both, and only their padding differs. With
another ``prompt_2`` a position joins tokens of two texts, and its map answers for both.
"""

from __future__ import annotations

from typing import Any

from attribution.daam.families import prompts, unet
from attribution.daam.families.base import Arguments, Family, Request


def request(pipeline: Any, arguments: Arguments) -> Request:
    """Read the arguments of ``encode_prompt``; a refiner has the second tokenizer only, and feeds it ``prompt``."""
    prompt, second, embeddings = (arguments[name] for name in ("prompt", "prompt_2", "prompt_embeds"))
    tokenizer = pipeline.tokenizer or pipeline.tokenizer_2
    differs = pipeline.tokenizer is not None and embeddings is None and bool(second)
    return Request(
        alignments=prompts.alignments(pipeline, tokenizer, prompt, embeddings),
        images_per_prompt=arguments["num_images_per_prompt"] or 1,
        guided=bool(arguments["do_classifier_free_guidance"]),
        seconds=prompts.alignments(pipeline, pipeline.tokenizer_2, second, None) if differs else None,
    )


FAMILY = Family(
    name="stable-diffusion-xl",
    pipelines=frozenset(
        {
            "StableDiffusionXLPipeline",
            "StableDiffusionXLImg2ImgPipeline",
            "StableDiffusionXLInpaintPipeline",
            "StableDiffusionXLPAGPipeline",
            "StableDiffusionXLPAGImg2ImgPipeline",
            "StableDiffusionXLPAGInpaintPipeline",
        }
    ),
    denoiser="unet",
    processors=unet.PROCESSORS,
    layers=unet.layers,
    default_layers=unet.DEFAULT_LAYERS,
    request=request,
    run=unet.run,
)
