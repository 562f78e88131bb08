"""Transformer pipelines: traced maps against attention written out, whatever the family."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import XFormersAttnProcessor
from diffusers.utils import logging
from PIL import Image
from torch.nn.attention import SDPBackend, sdpa_kernel

import attribution
from attribution.errors import TraceError, WordError, WordNotInPrompt, WordPastTheCut
from attribution.maps import HeatMaps

Arrays = np.ndarray[Any, Any]
DOG = "a dog chasing a ball"
T5_LENGTH = 24
TOKENS = {"sd3": 77 + T5_LENGTH, "flux": T5_LENGTH, "pixart": T5_LENGTH}
LAYERS = {"sd3": 3, "flux": 4, "pixart": 2}
GUIDED = {"sd3": 1, "flux": 0, "pixart": 1}
NAMES = list(TOKENS)
Draw = Callable[..., Arrays]


def assert_close(ours: Arrays, theirs: Arrays, tolerance: float = 1e-5) -> None:
    """Equal to ``tolerance`` of the largest value of each token's map."""
    assert ours.shape == theirs.shape
    assert (np.abs(ours - theirs) <= tolerance * theirs.max(axis=(-2, -1), keepdims=True) + 1e-12).all()


def traced(pipelines: dict[str, Any], draw: Draw, name: str, *args: Any, tracing: Any = None, **how: Any) -> Any:
    with attribution.trace(pipelines[name], **tracing or {}) as tracer:
        draw(name, *args, **how)
    return tracer.heat_maps()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("prompt", "height", "width", "steps"), [(DOG, 32, 32, 3), ("two red cats", 32, 48, 2), ("", 48, 32, 1)]
)
def test_maps_are_the_text_columns_of_the_softmax(
    pipelines: dict[str, Any], draw: Draw, plainly: Any, name: str, prompt: str, height: int, width: int, steps: int
) -> None:
    how = {"height": height, "width": width, "num_inference_steps": steps}
    (maps,) = traced(pipelines, draw, name, prompt, **how)
    with plainly(name) as plain:
        draw(name, prompt, **how)
    assert (maps.prompt, maps.steps, maps.layers) == (prompt, steps, LAYERS[name])
    assert_close(maps.tokens, plain.image(GUIDED[name], TOKENS[name], (height // 4, width // 4)))
    assert len(maps.alignment.tokens) == TOKENS[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_joint_axis_sums_to_one(pipelines: dict[str, Any], draw: Draw, plainly: Any, name: str) -> None:
    """The text's share by the tracer, and the picture's share of its own attention written out."""
    (maps,) = traced(pipelines, draw, name)
    with plainly(name) as plain:
        draw(name)
    text = maps.tokens.sum(axis=0)
    rest = np.stack(
        [
            1 - layer.text(step, TOKENS[name])[GUIDED[name]].sum(dim=-1).mean(dim=0).reshape(8, 8)
            for layer in plain.layers.values()
            for step in range(2)
        ]
    ).mean(axis=0)
    np.testing.assert_allclose(text + rest, 1, atol=3e-6)
    assert text.max() < 1 + 3e-6
    assert name == "pixart" or text.max() < 0.99


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("how", [{}, {"guidance_scale": 1.0}, {"height": 48, "seeds": (0, 1)}])
def test_images_are_bit_identical_with_and_without(
    pipelines: dict[str, Any], draw: Draw, name: str, how: dict[str, Any]
) -> None:
    prompt = [DOG, "two cats"][: len(how.get("seeds", (0,)))]
    plain = draw(name, prompt, **how)
    with attribution.trace(pipelines[name]):
        all_tokens = draw(name, prompt, **how)
    with attribution.trace(pipelines[name], words=[[(0, 1)]] * len(prompt), raw=["layers"]):
        one_word = draw(name, prompt, **how)
    assert np.array_equal(plain, all_tokens)
    assert np.array_equal(plain, one_word)


@pytest.mark.parametrize("name", NAMES)
def test_guidance_off(pipelines: dict[str, Any], draw: Draw, plainly: Any, name: str) -> None:
    (maps,) = traced(pipelines, draw, name, guidance_scale=1.0)
    with plainly(name) as plain:
        draw(name, guidance_scale=1.0)
    assert_close(maps.tokens, plain.image(0, TOKENS[name], (8, 8)))


@pytest.mark.parametrize("name", NAMES)
def test_two_prompts_two_images_each(pipelines: dict[str, Any], draw: Draw, plainly: Any, name: str) -> None:
    how = {"num_images_per_prompt": 2, "seeds": (1, 2, 3, 4)}
    maps = traced(pipelines, draw, name, [DOG, "two cats"], **how)
    with plainly(name) as plain:
        draw(name, [DOG, "two cats"], **how)
    assert [image.prompt for image in maps] == [DOG, DOG, "two cats", "two cats"]
    for index, image in enumerate(maps):
        assert_close(image.tokens, plain.image(4 * GUIDED[name] + index, TOKENS[name], (8, 8)))


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_equals_its_images_one_by_one(pipelines: dict[str, Any], draw: Draw, name: str) -> None:
    prompts = [DOG, "two cats"]
    together = traced(pipelines, draw, name, prompts, seeds=(5, 6))
    for prompt, seed, maps in zip(prompts, (5, 6), together, strict=True):
        (alone,) = traced(pipelines, draw, name, prompt, seeds=(seed,))
        assert np.abs(maps.tokens - alone.tokens).max() <= 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_chosen_words_have_the_same_maps(pipelines: dict[str, Any], draw: Draw, name: str) -> None:
    """Also where prompts have different numbers of tokens, and a word occurs twice."""
    prompts = [DOG, "a ball, a dog, a dog"]
    everything = traced(pipelines, draw, name, prompts, seeds=(1, 2))
    some = traced(pipelines, draw, name, prompts, seeds=(1, 2), tracing={"words": ["dog", "ball"]})
    for whole, part in zip(everything, some, strict=True):
        assert len(part.tokens) < len(whole.tokens) / 2
        for word in ("dog", "ball"):
            assert_close(part.word(word).values, whole.word(word).values)
    assert_close(some[1].word("dog", occurrence=2).values, everything[1].word(17, 20).values)
    assert not np.allclose(some[1].word("dog").values, some[1].word("dog", occurrence=2).values, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_restricted_to_steps_layers_and_heads(pipelines: dict[str, Any], draw: Draw, plainly: Any, name: str) -> None:
    chosen = {"steps": [1], "layers": ["transformer_blocks.1"], "heads": [0, 3]}
    (maps,) = traced(pipelines, draw, name, num_inference_steps=3, tracing=chosen)
    with plainly(name) as plain:
        draw(name, num_inference_steps=3)
    only = {"steps": [1], "layers": ("transformer_blocks.1",), "heads": (0, 3)}
    assert_close(maps.tokens, plain.image(GUIDED[name], TOKENS[name], (8, 8), **only))
    assert (maps.steps, maps.layers) == (1, 1)


def state(pipeline: Any) -> tuple[Any, ...]:
    """What tracing touches: processors by identity, hooks, shadowed methods."""
    transformer = pipeline.transformer
    processors = {name: id(processor) for name, processor in transformer.attn_processors.items()}
    hooks = [(dict(module._forward_pre_hooks), dict(module._forward_hooks)) for module in transformer.modules()]
    return processors, hooks, set(vars(pipeline)), set(vars(transformer))


@pytest.mark.parametrize("name", NAMES)
def test_restored_after_use_nesting_and_an_exception(pipelines: dict[str, Any], draw: Draw, name: str) -> None:
    pipeline = pipelines[name]
    draw(name)
    before = state(pipeline)
    with attribution.trace(pipeline) as outer:
        draw(name, "two cats")
        with attribution.trace(pipeline, words=["dog"]) as inner:
            draw(name)
        assert state(pipeline) != before
    assert state(pipeline) == before
    assert [maps.prompt for maps in outer.heat_maps()] == ["two cats", DOG]
    assert_close(inner.heat_maps()[0].word("dog").values, outer.heat_maps()[1].word("dog").values)

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    stopping = {"callback": fail} if name == "pixart" else {"callback_on_step_end": fail}
    with pytest.raises(KeyboardInterrupt), attribution.trace(pipeline) as tracer:
        draw(name, **stopping)
    assert state(pipeline) == before
    with pytest.raises(TraceError, match="nothing was traced"):
        tracer.heat_maps()


EMBEDDINGS = {
    "sd3": ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds"),
    "flux": ("prompt_embeds", "pooled_prompt_embeds"),
    "pixart": ("prompt_embeds", "prompt_attention_mask", "negative_prompt_embeds", "negative_prompt_attention_mask"),
}


@pytest.mark.parametrize("name", NAMES)
def test_precomputed_embeddings(pipelines: dict[str, Any], draw: Draw, name: str) -> None:
    others = {"prompt_2": None, "prompt_3": None} if name == "sd3" else {}
    extra = {"negative_prompt": None} if name == "pixart" else {}
    with attribution.trace(pipelines[name]) as tracer:
        encoded = pipelines[name].encode_prompt(DOG, **others, max_sequence_length=T5_LENGTH)
        draw(name, None, **dict(zip(EMBEDDINGS[name], encoded, strict=False)), **extra)
        draw(name, DOG)
    bare, text = tracer.heat_maps()
    assert bare.prompt is None
    assert_close(bare.tokens, text.tokens)
    with pytest.raises(WordError, match="precomputed embeddings"):
        bare.word("dog")


@pytest.mark.parametrize("name", NAMES)
def test_what_maps_can_do(pipelines: dict[str, Any], draw: Draw, name: str, tmp_path: Path) -> None:
    (maps,) = traced(pipelines, draw, name, width=48)
    maps.save(tmp_path / "maps")
    loaded = HeatMaps.load(tmp_path / "maps")
    assert loaded.alignment == maps.alignment
    np.testing.assert_allclose(loaded.tokens, maps.tokens, rtol=1e-3, atol=1e-7)
    dog = maps.word("dog")
    assert dog.normalised().values.max() == 1
    assert dog.mask(0.5).shape == (8, 12)
    assert dog.resized(32, 48).values.shape == (32, 48)
    assert dog.overlay(Image.new("RGB", (48, 32))).size == (48, 32)
    assert [word.text for word in maps.words()] == DOG.split()


@pytest.mark.parametrize("name", NAMES)
def test_words_that_are_not_there(pipelines: dict[str, Any], draw: Draw, name: str) -> None:
    with pytest.raises(WordNotInPrompt, match="'cow'"):
        traced(pipelines, draw, name, tracing={"words": ["cow"]})
    (maps,) = traced(pipelines, draw, name, tracing={"words": ["dog"]})
    with pytest.raises(WordError, match=r"'ball' .* was not traced"):
        maps.word("ball")


@pytest.mark.parametrize("name", NAMES)
def test_a_word_past_every_encoders_cut(pipelines: dict[str, Any], draw: Draw, name: str) -> None:
    """T5 sees 23 tokens here and its end marker; CLIP's tokenizer has one a letter, 75 of them."""
    prompt = "dog " * 26 + "cat"
    logging.set_verbosity_error()
    (maps,) = traced(pipelines, draw, name, prompt)
    logging.set_verbosity_warning()
    assert maps.word("dog", occurrence=23).values.shape == (8, 8)
    with pytest.raises(WordPastTheCut, match="'cat'"):
        maps.word("cat")


@pytest.mark.parametrize("name", NAMES)
def test_processors_of_another_kind_are_named(pipelines: dict[str, Any], name: str) -> None:
    attention = pipelines[name].transformer.transformer_blocks[1]
    attention = attention.attn2 if name == "pixart" else attention.attn
    own = attention.processor
    attention.set_processor(XFormersAttnProcessor())
    try:
        with pytest.raises(TraceError, match=r"'transformer_blocks\.1\.attn2?' attends with XFormersAttnProcessor"):
            attribution.trace(pipelines[name]).__enter__()
    finally:
        attention.set_processor(own)


def test_attention_that_bypasses_torch_is_named(pipelines: dict[str, Any], draw: Draw) -> None:
    attention = pipelines["flux"].transformer.transformer_blocks[0].attn
    own = attention.processor

    class FluxAttnProcessor:
        def __call__(self, attn: Any, hidden_states: Any, encoder_hidden_states: Any, *_: Any) -> Any:
            return hidden_states, encoder_hidden_states

    attention.set_processor(FluxAttnProcessor())
    try:
        with pytest.raises(TraceError, match=r"'transformer_blocks\.0\.attn' made 0 calls"):
            traced(pipelines, draw, "flux")
    finally:
        attention.set_processor(own)


def test_fused_projections_are_traced(pipelines: dict[str, Any], without_t5: Any, draw: Draw) -> None:
    for name, pipeline in (("sd3", without_t5), ("flux", pipelines["flux"])):
        with attribution.trace(pipeline) as plain:
            draw(name, pipeline=pipeline)
        before = pipeline.transformer.attn_processors
        pipeline.transformer.fuse_qkv_projections()
        try:
            with attribution.trace(pipeline) as fused:
                draw(name, pipeline=pipeline)
        finally:
            pipeline.transformer.unfuse_qkv_projections()
            pipeline.transformer.set_attn_processor(before)
        assert_close(fused.heat_maps()[0].tokens, plain.heat_maps()[0].tokens, tolerance=1e-4)


@pytest.mark.parametrize("name", ["sd3", "flux"])
def test_without_a_log_sum_exp_the_maps_are_the_same(pipelines: dict[str, Any], draw: Draw, name: str) -> None:
    """Where the backend gives none, the joint softmax is taken in full, for some heads after the others."""
    (expected,) = traced(pipelines, draw, name)
    with sdpa_kernel(SDPBackend.MATH), pytest.MonkeyPatch.context() as patch:
        patch.setattr("attribution.daam.attention.LARGEST_PART", 64 * 64)
        (maps,) = traced(pipelines, draw, name)
        (words,) = traced(pipelines, draw, name, tracing={"words": ["dog"]})
    assert_close(maps.tokens, expected.tokens, tolerance=1e-4)
    assert_close(words.word("dog").values, maps.word("dog").values)


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_sums_in_float32(pipelines: dict[str, Any], draw: Draw, name: str) -> None:
    how = {"num_inference_steps": 1, "output_type": "latent"}
    logging.set_verbosity_error()
    (exact,) = traced(pipelines, draw, name, **how)
    try:
        pipelines[name].to(torch.bfloat16)
        plain = draw(name, **how)
        with ExitStack() as block:
            fitting = ["daam"] if name == "pixart" else ["daam", "concept-attention"]
            observers = [block.enter_context(attribution.observe(method, pipelines[name])) for method in fitting]
            assert torch.equal(draw(name, **how), plain)
    finally:
        pipelines[name].to(torch.float32)
        logging.set_verbosity_warning()
    for observer in observers:
        (maps,) = observer.heat_maps()
        assert maps.tokens.dtype == np.float32
        assert np.isfinite(maps.tokens).all()
    assert_close(observers[0].heat_maps()[0].tokens, exact.tokens, tolerance=0.2)


def test_a_callback_may_change_the_prompts_embedding(pipelines: dict[str, Any], draw: Draw) -> None:
    """With true guidance, it is the run for the negative prompt that is known, by its own embedding."""

    def halve(_: Any, __: int, ___: int, tensors: dict[str, Any]) -> dict[str, Any]:
        return {"prompt_embeds": tensors["prompt_embeds"] / 2}

    how = {"callback_on_step_end": halve, "callback_on_step_end_tensor_inputs": ["prompt_embeds"]}
    (plain,) = traced(pipelines, draw, "flux", **how)
    (maps,) = traced(pipelines, draw, "flux", negative_prompt="a red ball", true_cfg_scale=1.5, **how)
    assert (plain.steps, maps.steps) == (2, 2)


def test_guidance_switched_off_half_way(pipelines: dict[str, Any], draw: Draw) -> None:
    def stop(pipeline: Any, _: int, __: int, tensors: dict[str, Any]) -> dict[str, Any]:
        pipeline._guidance_scale = 0.0
        return {name: tensor.chunk(2)[-1] for name, tensor in tensors.items()}

    inputs = ["prompt_embeds", "pooled_prompt_embeds"]
    how = {"callback_on_step_end": stop, "callback_on_step_end_tensor_inputs": inputs}
    (maps,) = traced(pipelines, draw, "sd3", **how)
    (first,) = traced(pipelines, draw, "sd3", num_inference_steps=2, tracing={"steps": [0]})
    (second,) = traced(pipelines, draw, "sd3", tracing={"steps": [1]}, **how)
    assert maps.steps == 2
    assert_close(maps.tokens, (first.tokens + second.tokens) / 2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_on_cuda(pipelines: dict[str, Any], draw: Draw, name: str, dtype: torch.dtype) -> None:
    """The same images with and without; maps as on the CPU."""
    how = {"num_inference_steps": 1, "output_type": "latent"}
    (exact,) = traced(pipelines, draw, name, **how)
    try:
        pipelines[name].to("cuda", dtype)
        plain = draw(name, **how)
        with attribution.trace(pipelines[name]) as tracer:
            assert torch.equal(draw(name, **how), plain)
    finally:
        pipelines[name].to("cpu", torch.float32)
    (maps,) = tracer.heat_maps()
    assert_close(maps.tokens, exact.tokens, tolerance=0.2 if dtype == torch.bfloat16 else 1e-3)
