"""A Stable Diffusion pipeline small enough to draw in milliseconds: random weights, real classes, real shapes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

LENGTH = 77


def tokenizer(merges: tuple[tuple[str, str], ...] = ()) -> CLIPTokenizer:
    """CLIP's tokenizer over bytes: every letter is a token, but for those that ``merges`` join."""
    letters = sorted(ByteLevel.alphabet())
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    vocabulary = {piece: index for index, piece in enumerate([*pieces, "<|startoftext|>", "<|endoftext|>"])}
    return CLIPTokenizer(vocabulary, [" ".join(pair) for pair in merges], model_max_length=LENGTH)


def build(seed: int = 0) -> StableDiffusionPipeline:
    """Stable Diffusion's topology at a fraction of its width; latents of 16 x 16 for images of 32 x 32."""
    torch.manual_seed(seed)
    words = tokenizer()
    text = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=LENGTH,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    )
    unet = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(16, 32, 32),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=16,
        attention_head_dim=(2, 4, 4),
        norm_num_groups=4,
    )
    _sharpen(unet)
    vae = AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        sample_size=32,
    )
    pipeline = StableDiffusionPipeline(
        vae=vae.eval(),
        text_encoder=CLIPTextModel(text).eval(),
        tokenizer=words,
        unet=unet.eval(),
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _sharpen(unet: Any) -> None:
    """Random weights attend to everything alike; with larger ones, resized maps undershoot zero and are clamped."""
    with torch.no_grad():
        for name, weights in unet.named_parameters():
            if ".attn2.to_q." in name or ".attn2.to_k." in name:
                weights.mul_(6)


@pytest.fixture(scope="session")
def shared_pipeline() -> StableDiffusionPipeline:
    return build()


@pytest.fixture
def pipeline(shared_pipeline: StableDiffusionPipeline) -> StableDiffusionPipeline:
    """The pipeline with processors that are new to each test, so that no test sees another's."""
    shared_pipeline.unet.set_default_attn_processor()
    return shared_pipeline
