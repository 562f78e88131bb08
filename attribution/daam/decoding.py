"""From a pipeline's latents to its image: the last stage of a call, on its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from PIL import Image
from torch import Tensor


@torch.no_grad()
def decoded(pipeline: Any, latents: Tensor, height: int, width: int) -> Image.Image:
    """The image of ``height`` x ``width`` pixels that ``pipeline`` makes of ``latents`` [1, ...].

    ``latents`` are what a call with ``output_type="latent"`` returns. The arithmetic is the pipeline's own, in its
    order, so that the pixels are too; one image at a time, so that they do not depend on others.
    """
    if hasattr(pipeline, "_unpack_latents"):
        latents = pipeline._unpack_latents(latents, height, width, pipeline.vae_scale_factor)
    with _enough_precision(pipeline) as vae:
        pixels = vae.decode(_unscaled(vae.config, latents.to(vae.dtype)), return_dict=False)[0]
    return pipeline.image_processor.postprocess(pixels, output_type="pil")[0]  # type: ignore[no-any-return]


def _unscaled(config: Any, latents: Tensor) -> Tensor:
    """The latents as the autoencoder knows them, before the scaling that the denoiser was trained with."""
    statistics = config.get("latents_mean"), config.get("latents_std")
    if None not in statistics:
        mean, deviation = (latents.new_tensor(values).view(1, -1, 1, 1) for values in statistics)
        return latents * deviation / config.scaling_factor + mean  # type: ignore[no-any-return]
    unscaled: Tensor = latents / config.scaling_factor
    return unscaled if config.get("shift_factor") is None else unscaled + config.shift_factor


@contextmanager
def _enough_precision(pipeline: Any) -> Iterator[Any]:
    """The autoencoder, in float32 for the while where the pipeline would do so: XL's overflows in float16."""
    vae = pipeline.vae
    upcast = hasattr(pipeline, "upcast_vae") and vae.dtype == torch.float16 and vae.config.force_upcast
    if upcast:
        vae.to(torch.float32)
    try:
        yield vae
    finally:
        if upcast:
            vae.to(torch.float16)
