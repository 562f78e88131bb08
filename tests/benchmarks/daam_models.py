"""Pipelines with the U-Nets of Stable Diffusion 2 and XL, random weights, and next to nothing around them.

The text encoders have one layer and every letter is a token, so that the three words of ``WORDS`` are three tokens, as
they would be in CLIP's vocabulary. The autoencoder is never run.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.utils import logging
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

PROMPT = "a d n a r b i a p k"
WORDS = ["d", "r", "b"]

SD2: dict[str, Any] = {
    "sample_size": 64,
    "block_out_channels": (320, 640, 1280, 1280),
    "attention_head_dim": (5, 10, 20, 20),
    "cross_attention_dim": 1024,
    "use_linear_projection": True,
}
SD2_QUARTER: dict[str, Any] = SD2 | {
    "block_out_channels": (80, 160, 320, 320),
    "cross_attention_dim": 256,
    "norm_num_groups": 16,
}
"""A quarter of the width, with as many heads, of 16 channels instead of 64."""
SDXL: dict[str, Any] = {
    "sample_size": 128,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 1280 + 6 * 256,
    "use_linear_projection": True,
}

logging.set_verbosity_error()


def stable_diffusion(unet: dict[str, Any], *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Any:
    """A ``StableDiffusionPipeline`` around such a U-Net."""
    torch.manual_seed(0)
    words = tokenizer()
    made = StableDiffusionPipeline(
        vae=autoencoder(),
        text_encoder=CLIPTextModel(text_config(words, unet["cross_attention_dim"])).eval(),
        tokenizer=words,
        unet=built(unet, device),
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return ready(made, device, dtype)


def stable_diffusion_xl(unet: dict[str, Any], *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Any:
    """A ``StableDiffusionXLPipeline`` around such a U-Net; its text encoders share the width as 3 to 5."""
    torch.manual_seed(0)
    words = tokenizer()
    pooled = unet["projection_class_embeddings_input_dim"] - 6 * unet["addition_time_embed_dim"]
    second = text_config(words, pooled)
    made = StableDiffusionXLPipeline(
        vae=autoencoder(),
        text_encoder=CLIPTextModel(text_config(words, unet["cross_attention_dim"] - pooled)).eval(),
        text_encoder_2=CLIPTextModelWithProjection(second).eval(),
        tokenizer=words,
        tokenizer_2=words,
        unet=built(unet, device),
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
        add_watermarker=False,
    )
    return ready(made, device, dtype)


def ready(pipeline: Any, device: str, dtype: torch.dtype) -> Any:
    """The pipeline on its device, silent."""
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device=device, dtype=dtype)


def built(config: dict[str, Any], device: str) -> UNet2DConditionModel:
    """A U-Net whose random weights are drawn where it will stay."""
    with torch.device(device):
        return UNet2DConditionModel(**config).eval()


def tokenizer() -> CLIPTokenizer:
    """CLIP's tokenizer over bytes."""
    letters = sorted(ByteLevel.alphabet())
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer({piece: index for index, piece in enumerate(pieces)}, [], model_max_length=77)


def text_config(words: CLIPTokenizer, width: int) -> CLIPTextConfig:
    """One layer of the width that the U-Net expects."""
    return CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=4,
        projection_dim=width,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    )


def autoencoder() -> AutoencoderKL:
    """Eight times smaller latents, as in the original."""
    return AutoencoderKL(
        block_out_channels=(8,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
    ).eval()


def latents(pipeline: Any, steps: int, seeds: list[int]) -> torch.Tensor:
    """Draw one image a seed, without decoding it."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    prompts = [PROMPT] * len(seeds) if len(seeds) > 1 else PROMPT
    options = {"num_inference_steps": steps, "generator": generators, "output_type": "latent"}
    return pipeline(prompts, **options).images  # type: ignore[no-any-return]
