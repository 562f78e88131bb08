"""A Stable Diffusion pipeline small enough to draw in milliseconds: random weights, real classes, real shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.models.attention_processor import AttnProcessor2_0
from tokenizers.pre_tokenizers import ByteLevel
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

import attribution
from attribution.maps import HeatMaps

LENGTH = 77


def tokenizer(**options: Any) -> CLIPTokenizer:
    """CLIP's tokenizer over bytes: every letter is a token."""
    letters = sorted(ByteLevel.alphabet())
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    return CLIPTokenizer(vocabulary, [], model_max_length=LENGTH, **options)


def text_config(words: CLIPTokenizer) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=LENGTH,
        projection_dim=16,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    )


def autoencoder(**options: Any) -> AutoencoderKL:
    return AutoencoderKL(
        **options,
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        sample_size=32,
    ).eval()


def u_net(**options: Any) -> UNet2DConditionModel:
    """Three levels, two of them with cross-attention; latents of 16 x 16 for images of 32 x 32."""
    unet = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(16, 32, 32),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        attention_head_dim=(2, 4, 4),
        norm_num_groups=4,
        **options,
    )
    _sharpen(unet)
    return unet.eval()


def scheduler() -> DDIMScheduler:
    return DDIMScheduler(clip_sample=False, steps_offset=1)


def build() -> StableDiffusionPipeline:
    """Stable Diffusion's topology at a fraction of its width."""
    torch.manual_seed(0)
    words = tokenizer()
    return quiet(
        StableDiffusionPipeline(
            vae=autoencoder(),
            text_encoder=CLIPTextModel(text_config(words)).eval(),
            tokenizer=words,
            unet=u_net(cross_attention_dim=16),
            scheduler=scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    )


def build_xl() -> StableDiffusionXLPipeline:
    """Stable Diffusion XL's topology: two text encoders, of which the second pads otherwise; micro-conditioning."""
    torch.manual_seed(0)
    words, second = tokenizer(), tokenizer(pad_token="!")
    unet = u_net(
        cross_attention_dim=32,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=16 + 6 * 8,
        use_linear_projection=True,
    )
    return quiet(
        StableDiffusionXLPipeline(
            vae=autoencoder(),
            text_encoder=CLIPTextModel(text_config(words)).eval(),
            text_encoder_2=CLIPTextModelWithProjection(text_config(second)).eval(),
            tokenizer=words,
            tokenizer_2=second,
            unet=unet,
            scheduler=scheduler(),
            add_watermarker=False,
        )
    )


def quiet(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _sharpen(unet: Any) -> None:
    """Random weights attend to everything alike; with larger ones, resized maps undershoot zero and are clamped."""
    with torch.no_grad():
        for name, weights in unet.named_parameters():
            if ".attn2.to_q." in name or ".attn2.to_k." in name:
                weights.mul_(4)


@pytest.fixture(scope="session")
def parts() -> SimpleNamespace:
    """What other tiny pipelines are built of."""
    return SimpleNamespace(tokenizer=tokenizer, text_config=text_config, autoencoder=autoencoder, quiet=quiet)


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
    """The paper's formula, loop by loop, from the attention of plainly written processors."""

    def __init__(self, unet: Any) -> None:
        self._layers = {name: PlainAttention() for name in unet.attn_processors if ".attn2." in name}
        unet.set_attn_processor({**unet.attn_processors, **self._layers})

    def image(
        self,
        row: int,
        grid: tuple[int, int],
        *,
        layers: tuple[str, ...] = ("down_blocks", "up_blocks"),
        heads: tuple[int, ...] = tuple(range(99)),
        steps: slice = slice(None),
    ) -> np.ndarray[Any, Any]:
        """The mean [token, height, width] over steps, heads and layers, for one row of the denoiser's batch."""
        maps = [
            self.enlarged(head, grid)
            for name, layer in self._layers.items()
            if name.startswith(layers)
            for index, head in enumerate(torch.stack([step[row] for step in layer.steps[steps]]).mean(dim=0))
            if index in heads
        ]
        return torch.stack(maps).mean(dim=0).numpy()

    def resized_last(self, row: int, grid: tuple[int, int]) -> np.ndarray[Any, Any]:
        """The same, but that heads and layers of one resolution are summed before they are resized and clamped."""
        sums: dict[int, torch.Tensor] = {}
        for name, layer in self._layers.items():
            if not name.startswith("mid_block"):
                of_layer = torch.stack([step[row] for step in layer.steps]).mean(dim=0).sum(dim=0)
                sums[len(of_layer)] = sums.get(len(of_layer), 0) + of_layer
        heads = sum(layer.steps[0].shape[1] for name, layer in self._layers.items() if "mid_block" not in name)
        return (torch.stack([self.enlarged(total, grid) for total in sums.values()]).sum(dim=0) / heads).numpy()

    def enlarged(self, head: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
        """One map [positions, tokens] as [token, height, width] at the latents' size, clamped at zero."""
        maps = head.T.unflatten(-1, self._side(head.shape[0], grid))
        return functional.interpolate(maps[None], size=grid, mode="bicubic")[0].clamp(min=0)

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


def painter(pipeline: Any) -> Callable[..., np.ndarray[Any, Any]]:
    def call(prompt: Any = "a dog chasing a ball", *, seeds: tuple[int, ...] = (0,), **options: Any) -> Any:
        options = {"height": 32, "width": 32, "num_inference_steps": 2, "output_type": "np", **options}
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        return pipeline(prompt, generator=generators, **options).images

    return call


@pytest.fixture
def draw(pipeline: StableDiffusionPipeline) -> Callable[..., np.ndarray[Any, Any]]:
    """Draw small images [n, height, width, 3], floats that no rounding has touched."""
    return painter(pipeline)


@pytest.fixture
def traced(pipeline: StableDiffusionPipeline, draw: Callable[..., Any]) -> Callable[..., list[HeatMaps]]:
    """The heat maps of images drawn by ``draw``; ``options`` go to the tracer."""

    def call(*args: Any, words: Any = None, options: Any = None, **how: Any) -> list[HeatMaps]:
        with attribution.trace(pipeline, words, **options or {}) as tracer:
            draw(*args, **how)
        return tracer.heat_maps()

    return call


@pytest.fixture(scope="session")
def xl() -> StableDiffusionXLPipeline:
    return build_xl()


@pytest.fixture
def draw_xl(xl: StableDiffusionXLPipeline) -> Callable[..., np.ndarray[Any, Any]]:
    return painter(xl)
