"""ConceptAttention against its formula written out, and images against those of an untraced pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import attribution
from attribution.daam.concepts import trace_concepts
from attribution.errors import TraceError, WordError, WordNotInPrompt, WordPastTheCut
from attribution.maps import HeatMaps

Arrays = np.ndarray[Any, Any]
Draw = Callable[..., Arrays]
DOG = "a dog chasing a ball"
T5 = 24
NAMES = ["sd3", "flux"]


class Written:
    """One run of the transformer's double blocks with concepts beside the prompt, as the paper writes it.

    Nothing is shared with the code under test but the transformer's weights: softmax, rotation, projections and the
    concepts' residual stream are written out, and the picture's outputs are read where they enter their projection.
    """

    def __init__(self, pipeline: Any, name: str, concepts: list[str]) -> None:
        self.pipeline, self.name, self.model = pipeline, name, pipeline.transformer
        self.concepts = torch.cat([self.embedded(text) for text in concepts])
        self.maps: list[list[torch.Tensor]] = []

    @torch.no_grad()
    def embedded(self, text: str) -> torch.Tensor:
        """T5's first token; without T5 CLIP's."""
        if self.name == "sd3" and self.pipeline.text_encoder_3 is None:
            return torch.cat([self.clip(text, ""), self.clip(text, "_2")], dim=-1)
        tokenizer = self.pipeline.tokenizer_3 if self.name == "sd3" else self.pipeline.tokenizer_2
        encoder = self.pipeline.text_encoder_3 if self.name == "sd3" else self.pipeline.text_encoder_2
        length = 256 if self.name == "sd3" else 512
        ids = tokenizer(text, padding="max_length", max_length=length, return_tensors="pt").input_ids
        return encoder(ids)[0][:, 0]

    def clip(self, text: str, which: str) -> torch.Tensor:
        """The first token after the start marker, as it leaves the last layer but one."""
        tokenizer = getattr(self.pipeline, f"tokenizer{which}")
        ids = tokenizer(text, padding="max_length", max_length=77, return_tensors="pt").input_ids
        encoder = getattr(self.pipeline, f"text_encoder{which}")
        return encoder(ids, output_hidden_states=True).hidden_states[-2][:, 1]

    @torch.no_grad()
    def __call__(self, module: Any, args: Any, call: dict[str, Any]) -> None:
        if call["encoder_hidden_states"].shape[0] == 2:
            call = {
                key: value[1:] if isinstance(value, torch.Tensor) and len(value) == 2 else value
                for key, value in call.items()
            }
        picture, text, modulation, neutral, rotary = self.begin(call)
        concepts = self.model.context_embedder(self.concepts)[None]
        maps = []
        for block in self.model.transformer_blocks:
            maps.append(self.block_maps(block, picture, text, concepts, modulation, neutral, rotary))
            concepts = self.next_concepts(block, picture, concepts, modulation, neutral, rotary)
            text, picture = self.next_streams(block, picture, text, modulation, rotary)
        self.maps.append(maps)

    def begin(self, call: dict[str, Any]) -> Any:
        model, pooled = self.model, call["pooled_projections"]
        text = model.context_embedder(call["encoder_hidden_states"])
        if self.name == "sd3":
            modulation = model.time_text_embed(call["timestep"], pooled)
            return model.pos_embed(call["hidden_states"]), text, modulation, modulation, None
        times = call["timestep"] * 1000, call["guidance"] * 1000
        modulation = model.time_text_embed(*times, pooled)
        neutral = model.time_text_embed(*times, torch.zeros_like(pooled))
        rotary = model.pos_embed(torch.cat([call["txt_ids"], call["img_ids"]]))
        return model.x_embedder(call["hidden_states"]), text, modulation, neutral, rotary

    def attention(self, block: Any, picture: Any, concepts: Any, modulation: Any, neutral: Any, rotary: Any) -> Any:
        """The joint attention of concepts and picture, [1, heads, concepts and picture, ...], softmax written out."""
        attn = block.attn
        seen = block.norm1(picture, emb=modulation)[0]
        if getattr(block, "context_pre_only", False):
            own = block.norm1_context(concepts, neutral)
        else:
            own = block.norm1_context(concepts, emb=neutral)[0]

        def apart(values: torch.Tensor, norm: Any = None) -> torch.Tensor:
            heads = values.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            return heads if norm is None else norm(heads)

        query = torch.cat([apart(attn.add_q_proj(own), attn.norm_added_q), apart(attn.to_q(seen), attn.norm_q)], dim=2)
        key = torch.cat([apart(attn.add_k_proj(own), attn.norm_added_k), apart(attn.to_k(seen), attn.norm_k)], dim=2)
        value = torch.cat([apart(attn.add_v_proj(own)), apart(attn.to_v(seen))], dim=2)
        if rotary is not None:
            query, key = self.turned(query, rotary), self.turned(key, rotary)
        weights = torch.softmax(query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5, dim=-1)
        return (weights @ value).transpose(1, 2).flatten(2)[:, : concepts.shape[1]]

    def turned(self, values: torch.Tensor, rotary: Any) -> torch.Tensor:
        positions = rotary[0].shape[0]
        own = values.shape[2] - (positions - T5)
        cosine, sine = (torch.cat([table[:1].expand(own, -1), table[T5:]])[:, ::2] for table in rotary)
        x, y = values[..., ::2], values[..., 1::2]
        return torch.stack([x * cosine - y * sine, y * cosine + x * sine], dim=-1).flatten(-2)

    def block_maps(
        self, block: Any, picture: Any, text: Any, concepts: Any, modulation: Any, neutral: Any, rotary: Any
    ) -> Any:
        outputs: list[torch.Tensor] = []
        handle = block.attn.to_out[0].register_forward_pre_hook(lambda _, args: outputs.append(args[0]))
        self.run(block, picture, text, modulation, rotary)
        handle.remove()
        own = self.attention(block, picture, concepts, modulation, neutral, rotary)
        return torch.softmax(own[0] @ outputs[0][0].T, dim=0)

    def next_concepts(self, block: Any, picture: Any, concepts: Any, modulation: Any, neutral: Any, rotary: Any) -> Any:
        if getattr(block, "context_pre_only", False):
            return None
        _, gate, shift, scale, gate_mlp = block.norm1_context(concepts, emb=neutral)
        output = self.attention(block, picture, concepts, modulation, neutral, rotary)
        concepts = concepts + gate[:, None] * block.attn.to_add_out(output)
        return concepts + gate_mlp[:, None] * block.ff_context(block.norm2_context(concepts) * (1 + scale) + shift)

    def run(self, block: Any, picture: Any, text: Any, modulation: Any, rotary: Any) -> Any:
        extra = {} if rotary is None else {"image_rotary_emb": rotary}
        return block(hidden_states=picture, encoder_hidden_states=text, temb=modulation, **extra)

    def next_streams(self, block: Any, picture: Any, text: Any, modulation: Any, rotary: Any) -> Any:
        return self.run(block, picture, text, modulation, rotary)

    def mean(self, layers: slice = slice(None), steps: slice = slice(None)) -> Arrays:
        """[concept, positions] over the chosen steps and blocks."""
        chosen = [one for step in self.maps[steps] for one in step[layers]]
        return torch.stack(chosen).mean(dim=0).numpy()


def written(of: Any, name: str, concepts: list[str], draw: Draw, **how: Any) -> Written:
    plain = Written(of, name, concepts)
    handle = of.transformer.register_forward_pre_hook(plain, with_kwargs=True)
    try:
        draw(name, **how)
    finally:
        handle.remove()
    return plain


@pytest.mark.parametrize("name", NAMES)
def test_maps_are_the_papers(pipelines: dict[str, Any], draw: Draw, name: str) -> None:
    with trace_concepts(pipelines[name], ["dog", "ball"], others=["sky"]) as tracer:
        draw(name, width=48)
    plain = written(pipelines[name], name, ["dog", "ball", "sky"], draw, width=48)
    (maps,) = tracer.heat_maps()
    assert (maps.method, maps.steps, maps.layers) == ("concept-attention", 2, 3 if name == "sd3" else 2)
    np.testing.assert_allclose(maps.tokens, plain.mean().reshape(3, 8, 12), atol=1e-5)
    np.testing.assert_array_equal(maps.word("ball").values, maps.tokens[1])
    assert [token.text for token in maps.alignment.tokens] == ["dog", "ball", "sky"]
    np.testing.assert_allclose(maps.tokens.sum(axis=0), 1, atol=1e-5)
    assert maps.tokens.std(axis=(1, 2)).min() > 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_only_some_blocks_and_steps(pipelines: dict[str, Any], draw: Draw, name: str) -> None:
    chosen = {"layers": ["transformer_blocks.1"], "steps": [1]}
    with trace_concepts(pipelines[name], ["dog", "ball"], **chosen) as tracer:
        draw(name, num_inference_steps=3)
    plain = written(pipelines[name], name, ["dog", "ball"], draw, num_inference_steps=3)
    (maps,) = tracer.heat_maps()
    expected = plain.mean(slice(1, 2), slice(1, 2))
    np.testing.assert_allclose(maps.tokens, expected.reshape(2, 8, 8), atol=1e-5)
    assert (maps.steps, maps.layers) == (1, 1)


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_stays_as_it_is(pipelines: dict[str, Any], draw: Draw, name: str) -> None:
    how = {"seeds": (1, 2), "num_images_per_prompt": 1}
    plain = draw(name, [DOG, "two cats"], **how)
    transformer = pipelines[name].transformer
    before = transformer.attn_processors, set(vars(pipelines[name]))
    with attribution.trace(pipelines[name]) as daam, trace_concepts(pipelines[name]) as tracer:
        assert np.array_equal(draw(name, [DOG, "two cats"], **how), plain)
    assert (transformer.attn_processors, set(vars(pipelines[name]))) == before
    assert not any(module._forward_hooks for module in transformer.modules())
    assert [len(maps.tokens) for maps in tracer.heat_maps()] == [5, 2]
    assert [maps.prompt for maps in daam.heat_maps()] == [DOG, "two cats"]


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_equals_its_images_one_by_one(pipelines: dict[str, Any], draw: Draw, name: str) -> None:
    prompts = [DOG, "two cats"]
    with trace_concepts(pipelines[name]) as tracer:
        draw(name, prompts, seeds=(1, 2, 3, 4), num_images_per_prompt=2)
    together = tracer.heat_maps()
    assert [maps.prompt for maps in together] == [DOG, DOG, "two cats", "two cats"]
    for index in (1, 2):
        with trace_concepts(pipelines[name]) as alone:
            draw(name, prompts[index // 2], seeds=(index + 1,))
        assert np.abs(alone.heat_maps()[0].tokens - together[index].tokens).max() <= 2e-6


def test_equal_words_are_one_concept(pipelines: dict[str, Any], draw: Draw) -> None:
    with trace_concepts(pipelines["flux"]) as tracer:
        draw("flux", "a dog and a dog")
    (maps,) = tracer.heat_maps()
    np.testing.assert_array_equal(maps.word("dog").values, maps.word("dog", occurrence=2).values)
    first = maps.tokens[[0, 1, 2]]
    np.testing.assert_allclose(first.sum(axis=0), 1, atol=1e-5)
    loaded = HeatMaps.from_bytes(*maps.to_bytes())
    assert (loaded.method, loaded.alignment) == ("concept-attention", maps.alignment)


def test_true_guidance_and_embeddings(pipelines: dict[str, Any], draw: Draw) -> None:
    flux = pipelines["flux"]
    how = {"negative_prompt": "two cats", "true_cfg_scale": 3.0}
    with trace_concepts(flux, ["dog", "ball"]) as tracer:
        draw("flux", **how)
    assert tracer.heat_maps()[0].steps == 2
    embeddings, pooled, _ = flux.encode_prompt(DOG, max_sequence_length=T5)
    given = {"prompt_embeds": embeddings, "pooled_prompt_embeds": pooled}
    with trace_concepts(flux, others=["dog", "ball"]) as bare:
        draw("flux", None, **given)
    with trace_concepts(flux, ["dog", "ball"]) as text:
        draw("flux")
    np.testing.assert_allclose(bare.heat_maps()[0].tokens, text.heat_maps()[0].tokens, atol=1e-6)
    with pytest.raises(WordError, match="precomputed embeddings"), trace_concepts(flux):
        draw("flux", None, **given)


def test_sd3_without_t5(without_t5: Any, draw: Draw) -> None:
    """A concept is then its first token of both CLIP encoders, as the prompt's are."""
    with trace_concepts(without_t5, ["dog", "ball"]) as tracer:
        draw("sd3", pipeline=without_t5)
    plain = written(without_t5, "sd3", ["dog", "ball"], draw, pipeline=without_t5)
    np.testing.assert_allclose(tracer.heat_maps()[0].tokens, plain.mean().reshape(2, 8, 8), atol=1e-5)


def test_what_does_not_fit(pipelines: dict[str, Any], draw: Draw) -> None:
    with pytest.raises(TraceError, match="PixArtAlphaPipeline has none"):
        trace_concepts(pipelines["pixart"])
    for words, error, message in (
        (["dog"], WordError, "fewer than two"),
        (["cow", "dog"], WordNotInPrompt, "'cow'"),
    ):
        with pytest.raises(error, match=message), trace_concepts(pipelines["flux"], words):
            draw("flux")
    with pytest.raises(WordPastTheCut, match="'cat'"), trace_concepts(pipelines["flux"], [(0, 3), "cat"]):
        draw("flux", "dog " * 26 + "cat")
    with pytest.raises(TraceError, match="begins none of: transformer_blocks"):
        trace_concepts(pipelines["flux"], layers=["single"]).__enter__()


def test_a_pipeline_without_its_text_encoder(pipelines: dict[str, Any], draw: Draw) -> None:
    flux = pipelines["flux"]
    embeddings, pooled, _ = flux.encode_prompt(DOG, max_sequence_length=T5)
    bare = type(flux)(**{**flux.components, "text_encoder_2": None})
    bare.set_progress_bar_config(disable=True)
    with pytest.raises(TraceError, match="with its text_encoder_2"), trace_concepts(bare, others=["dog", "ball"]):
        draw("flux", None, pipeline=bare, prompt_embeds=embeddings, pooled_prompt_embeds=pooled)
