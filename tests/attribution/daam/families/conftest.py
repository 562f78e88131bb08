"""Transformer pipelines small enough to draw in milliseconds: random weights, real classes, real shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PixArtAlphaPipeline,
    PixArtTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from diffusers.models.attention_processor import AttnProcessor2_0, JointAttnProcessor2_0
from diffusers.models.transformers.transformer_flux import FluxAttnProcessor
from tokenizers import normalizers
from transformers import CLIPTextModel, CLIPTextModelWithProjection, T5Config, T5EncoderModel, T5TokenizerFast

T5_LENGTH = 24
Arrays = np.ndarray[Any, Any]


def t5_tokenizer() -> T5TokenizerFast:
    """T5's kind of tokenizer: pieces of a few whole words, else letters; a piece at a word's start carries a mark.

    T5 normalises much as NFKC does.
    """
    letters = "abcdefghijklmnopqrstuvwxyz!,'"
    words = ["\u2581a", "\u2581dog", "\u2581ball", "\u2581two", "\u2581cat", "chas", "ing", "\u2581red"]
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -3.0)]
    pieces = [(piece, -5.0) for piece in words] + [(letter, -9.0) for letter in letters]
    made = T5TokenizerFast(vocab=special + pieces, extra_ids=0, model_max_length=512)
    made._tokenizer.normalizer = normalizers.NFKC()
    return made


def t5_encoder(words: T5TokenizerFast) -> T5EncoderModel:
    sizes = {"d_model": 32, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}
    return T5EncoderModel(T5Config(vocab_size=len(words), **sizes)).eval()


def sharpened(model: Any, pieces: tuple[str, ...], by: float = 6.0) -> Any:
    """Random weights attend to everything alike; with larger ones, maps differ."""
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if any(piece in name for piece in pieces):
                weights.mul_(by)
    return model.eval()


def build_sd3(parts: SimpleNamespace, *, t5: bool = True) -> StableDiffusion3Pipeline:
    """Stable Diffusion 3.5's topology: dual attention in the first block, the last one's text goes no further.

    Without T5, that of 3: neither dual attention nor norms of queries and keys.
    """
    torch.manual_seed(0)
    words, second = parts.tokenizer(), parts.tokenizer(pad_token="!")
    third = t5_tokenizer()
    transformer = SD3Transformer2DModel(
        sample_size=16,
        patch_size=2,
        in_channels=16,
        out_channels=16,
        num_layers=3,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=32,
        caption_projection_dim=32,
        pooled_projection_dim=32,
        pos_embed_max_size=32,
        dual_attention_layers=(0,) if t5 else (),
        qk_norm="rms_norm" if t5 else None,
    )
    return parts.quiet(
        StableDiffusion3Pipeline(
            transformer=sharpened(transformer, ("norm_q.weight", "norm_added_k.weight"), by=2.0),
            scheduler=FlowMatchEulerDiscreteScheduler(),
            vae=parts.autoencoder(latent_channels=16, shift_factor=0.06),
            text_encoder=CLIPTextModelWithProjection(parts.text_config(words)).eval(),
            tokenizer=words,
            text_encoder_2=CLIPTextModelWithProjection(parts.text_config(second)).eval(),
            tokenizer_2=second,
            text_encoder_3=t5_encoder(third) if t5 else None,
            tokenizer_3=third if t5 else None,
        )
    )


def build_flux(parts: SimpleNamespace, **options: Any) -> FluxPipeline:
    """FLUX.1's topology: two double and two single blocks, guidance as an input."""
    torch.manual_seed(0)
    words, second = parts.tokenizer(), t5_tokenizer()
    transformer = FluxTransformer2DModel(
        **{"in_channels": 16, **options},
        num_layers=2,
        num_single_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=32,
        pooled_projection_dim=16,
        guidance_embeds=True,
        axes_dims_rope=(2, 2, 4),
    )
    return parts.quiet(
        FluxPipeline(
            transformer=sharpened(transformer, ("norm_q.weight", "norm_added_k.weight"), by=3.0),
            scheduler=FlowMatchEulerDiscreteScheduler(),
            vae=parts.autoencoder(latent_channels=4, shift_factor=0.06),
            text_encoder=CLIPTextModel(parts.text_config(words)).eval(),
            tokenizer=words,
            text_encoder_2=t5_encoder(second),
            tokenizer_2=second,
        )
    )


def build_pixart(parts: SimpleNamespace) -> PixArtAlphaPipeline:
    """PixArt-alpha's topology: self-attention, and cross-attention to T5's tokens with their padding masked."""
    torch.manual_seed(0)
    words = t5_tokenizer()
    transformer = PixArtTransformer2DModel(
        sample_size=16,
        in_channels=4,
        out_channels=8,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        cross_attention_dim=32,
        caption_channels=32,
    )
    return parts.quiet(
        PixArtAlphaPipeline(
            transformer=sharpened(transformer, ("attn2.to_q.weight", "attn2.to_k.weight")),
            scheduler=DDIMScheduler(clip_sample=False),
            vae=parts.autoencoder(latent_channels=4),
            text_encoder=t5_encoder(words),
            tokenizer=words,
        )
    )


BUILDERS: dict[str, Callable[[SimpleNamespace], Any]] = {
    "sd3": build_sd3,
    "flux": build_flux,
    "pixart": build_pixart,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "sd3": {},
    "flux": {},
    "pixart": {"use_resolution_binning": False, "clean_caption": False},
}


@pytest.fixture(scope="session")
def pipelines(parts: SimpleNamespace) -> dict[str, Any]:
    return {name: build(parts) for name, build in BUILDERS.items()}


@pytest.fixture(scope="session")
def filling(parts: SimpleNamespace) -> Any:
    """FLUX that sees the picture to fill, and the mask, beside the latents: 16 + 16 + 16 channels a position."""
    return build_flux(parts, in_channels=48, out_channels=16)


@pytest.fixture(scope="session")
def without_t5(parts: SimpleNamespace) -> Any:
    return build_sd3(parts, t5=False)


@pytest.fixture
def draw(pipelines: dict[str, Any]) -> Callable[..., Arrays]:
    """Draw small images [n, height, width, 3] with the pipeline of that name, or one that is passed."""

    def call(
        name: str, prompt: Any = "a dog chasing a ball", *, seeds: Any = (0,), pipeline: Any = None, **how: Any
    ) -> Any:
        own = {
            "height": 32,
            "width": 32,
            "num_inference_steps": 2,
            "output_type": "np",
            "max_sequence_length": T5_LENGTH,
        }
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        chosen = pipeline or pipelines[name]
        return chosen(prompt=prompt, generator=generators, **{**own, **OPTIONS[name], **how}).images

    return call


def heads_of(projected: torch.Tensor, heads: int) -> torch.Tensor:
    """[rows, tokens, heads x size] as [rows, heads, tokens, size]."""
    return projected.unflatten(-1, (heads, -1)).transpose(1, 2)


def softmax(query: torch.Tensor, key: torch.Tensor, bias: Any = 0.0) -> torch.Tensor:
    """Attention written out: [rows, heads, queries, keys]."""
    return torch.softmax(query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5 + bias, dim=-1)


class PlainJoint(JointAttnProcessor2_0):  # type: ignore[misc]
    """Keeps the joint softmax of each step, [rows, heads, picture, picture and text]; draws as ever."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[torch.Tensor] = []

    def __call__(
        self, attn: Any, hidden_states: Any, encoder_hidden_states: Any = None, *args: Any, **rest: Any
    ) -> Any:
        query = attn.norm_q(heads_of(attn.to_q(hidden_states), attn.heads))
        picture = attn.norm_k(heads_of(attn.to_k(hidden_states), attn.heads))
        text = attn.norm_added_k(heads_of(attn.add_k_proj(encoder_hidden_states), attn.heads))
        self.steps.append(softmax(query, torch.cat([picture, text], dim=2)))
        return super().__call__(attn, hidden_states, encoder_hidden_states, *args, **rest)

    def text(self, step: int, tokens: int) -> torch.Tensor:
        """The text's share, [rows, heads, picture, tokens]."""
        return self.steps[step][..., -tokens:]


def rotated(values: torch.Tensor, rotary: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Pairs (x, y) of the last axis turned by the angle of their position."""
    cosine, sine = (table[None, None, :, ::2] for table in rotary)
    x, y = values[..., ::2], values[..., 1::2]
    return torch.stack([x * cosine - y * sine, y * cosine + x * sine], dim=-1).flatten(-2)


class PlainFlux(FluxAttnProcessor):  # type: ignore[misc]
    """Keeps the joint softmax of each step, [rows, heads, text and picture, text and picture]; draws as ever."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[torch.Tensor] = []

    def __call__(
        self, attn: Any, hidden_states: Any, encoder_hidden_states: Any = None, mask: Any = None, rotary: Any = None
    ) -> Any:
        query = attn.norm_q(heads_of(attn.to_q(hidden_states), attn.heads))
        key = attn.norm_k(heads_of(attn.to_k(hidden_states), attn.heads))
        if encoder_hidden_states is not None:
            text_query = attn.norm_added_q(heads_of(attn.add_q_proj(encoder_hidden_states), attn.heads))
            text_key = attn.norm_added_k(heads_of(attn.add_k_proj(encoder_hidden_states), attn.heads))
            query, key = torch.cat([text_query, query], dim=2), torch.cat([text_key, key], dim=2)
        self.steps.append(softmax(rotated(query, rotary), rotated(key, rotary)))
        return super().__call__(attn, hidden_states, encoder_hidden_states, mask, rotary)

    def text(self, step: int, tokens: int) -> torch.Tensor:
        """The text's share of the picture's attention, [rows, heads, picture, tokens]."""
        return self.steps[step][:, :, tokens:, :tokens]


class PlainMasked(AttnProcessor2_0):  # type: ignore[misc]
    """Keeps the softmax of each step, [rows, heads, picture, text], padding masked; draws as ever."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[torch.Tensor] = []

    def __call__(
        self, attn: Any, hidden_states: Any, encoder_hidden_states: Any, attention_mask: Any, *args: Any, **rest: Any
    ) -> Any:
        query, key = (
            heads_of(attn.to_q(hidden_states), attn.heads),
            heads_of(attn.to_k(encoder_hidden_states), attn.heads),
        )
        self.steps.append(softmax(query, key, attention_mask[:, None]))
        return super().__call__(attn, hidden_states, encoder_hidden_states, attention_mask, *args, **rest)

    def text(self, step: int, tokens: int) -> torch.Tensor:
        """[rows, heads, picture, tokens]."""
        return self.steps[step]


KINDS = {"sd3": (PlainJoint, ".attn"), "flux": (PlainFlux, ".attn"), "pixart": (PlainMasked, ".attn2")}


class PlainMaps:
    """The mean of the text's columns, loop by loop, from the attention of plainly written processors."""

    def __init__(self, transformer: Any, name: str) -> None:
        kind, ending = KINDS[name]
        self.layers = {name: kind() for name, module in transformer.named_modules() if name.endswith(ending)}
        for layer, processor in self.layers.items():
            transformer.get_submodule(layer).set_processor(processor)

    def image(
        self,
        row: int,
        tokens: int,
        grid: tuple[int, int],
        *,
        steps: Any = None,
        layers: tuple[str, ...] = ("",),
        heads: tuple[int, ...] = (0, 1, 2, 3),
    ) -> Arrays:
        """The mean [token, height, width] over steps, layers and heads, for one row of the denoiser's batch."""
        maps = [
            layer.text(step, tokens)[row, head].T.reshape(tokens, *grid)
            for name, layer in self.layers.items()
            if name.startswith(layers)
            for step in (range(len(layer.steps)) if steps is None else steps)
            for head in heads
        ]
        return torch.stack(maps).mean(dim=0).numpy()


@pytest.fixture
def plainly(pipelines: dict[str, Any]) -> Callable[..., Any]:
    """``with plainly("flux") as plain:`` draws with plainly written attention instead of the tracer."""

    @contextmanager
    def observed(name: str, pipeline: Any = None) -> Iterator[PlainMaps]:
        transformer = (pipeline or pipelines[name]).transformer
        before = transformer.attn_processors
        try:
            yield PlainMaps(transformer, name)
        finally:
            transformer.set_attn_processor(before)

    return observed
