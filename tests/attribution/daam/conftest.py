"""A Stable Diffusion pipeline small enough to draw in milliseconds: random weights, real classes, real shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor2_0
from tokenizers.pre_tokenizers import ByteLevel
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

import attribution
from attribution.maps import HeatMaps

LENGTH = 77


def tokenizer(merges: tuple[tuple[str, str], ...] = ()) -> CLIPTokenizer:
    """CLIP's tokenizer over bytes: every letter is a token, but for those that ``merges`` join."""
    letters = sorted(ByteLevel.alphabet())
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    vocabulary = {piece: index for index, piece in enumerate([*pieces, "<|startoftext|>", "<|endoftext|>"])}
    return CLIPTokenizer(vocabulary, list(merges), model_max_length=LENGTH)


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
                weights.mul_(4)


@pytest.fixture(scope="session")
def shared_pipeline() -> StableDiffusionPipeline:
    return build()


@pytest.fixture
def pipeline(shared_pipeline: StableDiffusionPipeline) -> StableDiffusionPipeline:
    """The pipeline with processors that are new to each test, so that no test sees another's."""
    unet = shared_pipeline.unet
    unet.set_attn_processor({name: AttnProcessor2_0() for name in unet.attn_processors})
    return shared_pipeline


class PlainAttention(AttnProcessor2_0):  # type: ignore[misc]
    """Keeps softmax(q k / sqrt d), written out, [rows, heads, positions, tokens] a step; draws as ever."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[torch.Tensor] = []

    def __call__(self, attn: Any, hidden_states: Any, encoder_hidden_states: Any, **rest: Any) -> torch.Tensor:
        query, key = (
            projected.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for projected in (attn.to_q(hidden_states), attn.to_k(encoder_hidden_states))
        )
        self.steps.append(torch.softmax(query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5, dim=-1))
        return super().__call__(attn, hidden_states, encoder_hidden_states, **rest)


class PlainMaps:
    """The paper's formula, loop by loop, from the attention of plainly written processors.

    ``image(row, grid)`` is the mean over steps, heads and layers of the down- and up-sampling blocks of the maps
    [token, height, width] of one row of the denoiser's batch.
    """

    def __init__(self, unet: Any) -> None:
        self._layers = {
            name: PlainAttention()
            for name in unet.attn_processors
            if ".attn2." in name and not name.startswith("mid_block")
        }
        unet.set_attn_processor({**unet.attn_processors, **self._layers})

    def image(self, row: int, grid: tuple[int, int]) -> np.ndarray[Any, Any]:
        maps = [
            functional.interpolate(
                head.T.unflatten(-1, self._side(head.shape[0], grid))[None], size=grid, mode="bicubic"
            )[0].clamp(min=0)
            for layer in self._layers.values()
            for head in torch.stack([step[row] for step in layer.steps]).mean(dim=0)
        ]
        return torch.stack(maps).mean(dim=0).numpy()

    @staticmethod
    def _side(positions: int, grid: tuple[int, int]) -> tuple[int, int]:
        height, width = grid
        while height * width > positions:
            height, width = (height + 1) // 2, (width + 1) // 2
        assert height * width == positions
        return height, width


@pytest.fixture
def plainly() -> Callable[[Any], AbstractContextManager[PlainMaps]]:
    """``with plainly(pipeline) as plain:`` draws with plainly written attention instead of the tracer."""

    @contextmanager
    def observed(pipeline: Any) -> Iterator[PlainMaps]:
        processors = pipeline.unet.attn_processors
        yield PlainMaps(pipeline.unet)
        pipeline.unet.set_attn_processor(processors)

    return observed


@pytest.fixture
def draw(pipeline: StableDiffusionPipeline) -> Callable[..., np.ndarray[Any, Any]]:
    """Draw small images [n, height, width, 3], floats that no rounding has touched."""

    def call(prompt: Any = "a dog chasing a ball", *, seeds: tuple[int, ...] = (0,), **options: Any) -> Any:
        options = {"height": 32, "width": 32, "num_inference_steps": 2, "output_type": "np", **options}
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        return pipeline(prompt, generator=generators, **options).images

    return call


@pytest.fixture
def traced(pipeline: StableDiffusionPipeline, draw: Callable[..., Any]) -> Callable[..., list[HeatMaps]]:
    """The heat maps of images drawn by ``draw``."""

    def call(*args: Any, words: Any = None, **options: Any) -> list[HeatMaps]:
        with attribution.trace(pipeline, words) as tracer:
            draw(*args, **options)
        return tracer.heat_maps()

    return call
