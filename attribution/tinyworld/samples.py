"""Pictures drawn by a model in training, for a look at how far it is."""

from __future__ import annotations

from typing import Final

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from PIL import Image

from attribution.tinyworld.grammar import captions
from attribution.tinyworld.model import assemble
from attribution.tinyworld.sheets import sheet
from attribution.tinyworld.unet_stage import Trainer

SHEET: Final = 24  # pictures on a sheet


def sample_sheet(trainer: Trainer, vae: AutoencoderKL) -> Image.Image:
    """Held-out captions drawn with the moving average: half from the easy world, half from the full one."""
    average = trainer.average
    pipeline = assemble(vae, trainer.tokenizer, average.text_encoder, average.unet)
    easy, full = (captions(SHEET // 2, 7, crowded=crowded) for crowded in (False, True))
    texts = [caption.text for caption in [*easy, *full]]
    return sheet(draw_pictures(pipeline, texts, 20, 3.0), texts)


@torch.no_grad()
def draw_pictures(
    pipeline: StableDiffusionPipeline, texts: list[str], steps: int, guidance: float, seed: int = 0
) -> list[Image.Image]:
    """One picture per text, in order; picture k has its own generator, seeded ``seed + k``."""
    pipeline.set_progress_bar_config(disable=True)
    pictures: list[Image.Image] = []
    for start in range(0, len(texts), 32):
        part = texts[start : start + 32]
        generators = [torch.Generator().manual_seed(seed + start + k) for k in range(len(part))]
        drawn = pipeline(part, num_inference_steps=steps, guidance_scale=guidance, generator=generators)
        pictures.extend(drawn.images)
    return pictures
