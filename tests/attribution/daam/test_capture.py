"""Traced maps against the paper's formula written out, and images against those of an untraced pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0, SlicedAttnProcessor
from diffusers.utils import logging

import attribution
from attribution.errors import TraceError, WordError, WordNotInPrompt, WordPastTheCut

Arrays = np.ndarray[Any, Any]
DOG = "a dog chasing a ball"


def assert_close(ours: Arrays, theirs: Arrays, tolerance: float = 1e-5) -> None:
    """Equal to ``tolerance`` of the largest value of each token's map."""
    assert ours.shape == theirs.shape
    assert (np.abs(ours - theirs) <= tolerance * theirs.max(axis=(1, 2), keepdims=True)).all()


@pytest.mark.parametrize(
    ("prompt", "height", "width", "steps", "seed"),
    [
        (DOG, 32, 32, 3, 0),
        ("two cats", 32, 48, 2, 1),
        ("an elephant in a very small bathtub, oil painting", 48, 32, 2, 2),
        ("", 40, 56, 1, 3),
    ],
)
def test_maps_are_the_papers(
    pipeline: Any,
    draw: Callable[..., Arrays],
    traced: Callable[..., Any],
    plainly: Callable[..., Any],
    prompt: str,
    height: int,
    width: int,
    steps: int,
    seed: int,
) -> None:
    options = {"seeds": (seed,), "height": height, "width": width, "num_inference_steps": steps}
    (maps,) = traced(prompt, **options)
    with plainly(pipeline) as plain:
        draw(prompt, **options)
    assert (maps.steps, maps.layers, maps.prompt) == (steps, 6, prompt)
    assert maps.tokens.dtype == np.float32
    assert_close(maps.tokens * steps, plain.image(1, (height // 2, width // 2)) * steps)


def test_the_clamp_matters_here(pipeline: Any, draw: Callable[..., Arrays], plainly: Callable[..., Any]) -> None:
    """The tiny model attends so sharply that a resize undershoots; else the tests above would prove less."""
    with plainly(pipeline) as plain:
        draw(DOG)
    sums = plain.image(1, (16, 16)).sum(axis=0)
    assert sums.max() > 1.01
    assert sums.min() >= 1 - 1e-5


@pytest.mark.parametrize("options", [{}, {"guidance_scale": 1.0}, {"height": 48, "seeds": (0, 1)}])
def test_images_are_bit_identical_with_and_without(
    pipeline: Any, draw: Callable[..., Arrays], options: dict[str, Any]
) -> None:
    prompt = [DOG, "two cats"][: len(options.get("seeds", (0,)))]
    plain = draw(prompt, **options)
    with attribution.trace(pipeline):
        all_tokens = draw(prompt, **options)
    with attribution.trace(pipeline, words=[[(0, 1)]] * len(prompt)):
        one_word = draw(prompt, **options)
    assert np.array_equal(plain, all_tokens)
    assert np.array_equal(plain, one_word)


def test_a_batch_equals_its_images_one_by_one(traced: Callable[..., Any]) -> None:
    prompts = [DOG, "two cats", "a ß"]
    together = traced(prompts, seeds=(5, 6, 7))
    for prompt, seed, maps in zip(prompts, (5, 6, 7), together, strict=True):
        (alone,) = traced(prompt, seeds=(seed,))
        assert maps.prompt == prompt
        assert np.abs(maps.tokens - alone.tokens).max() <= 1e-6


def test_calls_within_one_trace_follow_one_another(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    with attribution.trace(pipeline) as tracer:
        draw(DOG)
        draw(["two cats", "a"], seeds=(1, 2), num_inference_steps=1)
    assert [(maps.prompt, maps.steps) for maps in tracer.heat_maps()] == [(DOG, 2), ("two cats", 1), ("a", 1)]


def test_steps_do_not_change_the_scale(traced: Callable[..., Any]) -> None:
    few, many = traced(DOG, num_inference_steps=1)[0], traced(DOG, num_inference_steps=4)[0]
    assert many.tokens.sum() == pytest.approx(few.tokens.sum(), rel=0.02)


# --- only some words


def test_chosen_words_have_the_same_maps(traced: Callable[..., Any]) -> None:
    prompts = [DOG, "a ball, a dog"]
    everything = traced(prompts, seeds=(1, 2))
    by_text = traced(prompts, seeds=(1, 2), words=["dog", "ball"])
    by_offset = traced(prompts, seeds=(1, 2), words=[[(2, 5)], [(10, 13), "ball"]])
    assert [len(maps.tokens) for maps in by_text] == [7, 7]
    assert [len(maps.tokens) for maps in by_offset] == [3, 7]
    for whole, part in zip(everything, by_text, strict=True):
        for word in ("dog", "ball"):
            assert_close(part.word(word).values[None], whole.word(word).values[None])
    assert_close(by_offset[0].word(2, 5).values[None], everything[0].word("dog").values[None])


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["cat"], WordNotInPrompt, "'cat'"),
        ([(3, 90)], WordNotInPrompt, "3:90"),
        ([], WordNotInPrompt, "asks for no word"),
        ([["dog"], ["dog"]], ValueError, "2 lists for 1 prompts"),
    ],
)
def test_words_that_do_not_fit_are_refused_before_drawing(
    pipeline: Any, draw: Callable[..., Arrays], words: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message), attribution.trace(pipeline, words):
        draw(DOG, callback_on_step_end=lambda *_: pytest.fail("it drew"))


def test_a_word_left_out_says_so(traced: Callable[..., Any]) -> None:
    (maps,) = traced(DOG, words=["dog"])
    with pytest.raises(WordError, match=r"'ball' .* was not traced"):
        maps.word("ball")


# --- only some steps, layers, heads; another order of sums


@pytest.mark.parametrize(
    ("options", "restriction"),
    [
        ({"steps": {0}}, {"steps": slice(1)}),
        ({"steps": range(1, 9)}, {"steps": slice(1, 3)}),
        ({"heads": [1]}, {"heads": (1,)}),
        ({"layers": ["mid_block"]}, {"layers": ("mid_block",)}),
        ({"layers": ["up_blocks.2", "down_blocks.0"]}, {"layers": ("up_blocks.2", "down_blocks.0")}),
        (
            {"layers": ["up_blocks.1"], "heads": (0, 2), "steps": (2,)},
            {"layers": ("up_blocks.1",), "heads": (0, 2), "steps": slice(2, 3)},
        ),
    ],
)
def test_restricted_maps(
    pipeline: Any,
    draw: Callable[..., Arrays],
    traced: Callable[..., Any],
    plainly: Callable[..., Any],
    options: dict[str, Any],
    restriction: dict[str, Any],
) -> None:
    (maps,) = traced(DOG, options=options, num_inference_steps=3)
    with plainly(pipeline) as plain:
        draw(DOG, num_inference_steps=3)
    assert_close(maps.tokens, plain.image(1, (16, 16), **restriction))


def test_heads_that_only_some_layers_have(traced: Callable[..., Any]) -> None:
    """The first level has two heads, the others four."""
    (maps,) = traced(DOG, options={"heads": [3]})
    assert maps.layers == 3


def test_only_chosen_layers_are_touched(pipeline: Any) -> None:
    before = pipeline.unet.attn_processors
    with attribution.trace(pipeline, layers=["down_blocks.1"]):
        after = pipeline.unet.attn_processors
    changed = [name for name in before if after[name] is not before[name]]
    assert changed == ["down_blocks.1.attentions.0.transformer_blocks.0.attn2.processor"]


def test_sums_before_the_clamp_are_another_map(
    pipeline: Any, draw: Callable[..., Arrays], traced: Callable[..., Any], plainly: Callable[..., Any]
) -> None:
    (summed,) = traced(DOG, options={"exact": False})
    (exact,) = traced(DOG)
    with plainly(pipeline) as plain:
        draw(DOG)
    assert_close(summed.tokens, plain.resized_last(1, (16, 16)))
    assert 1e-4 < np.abs(summed.tokens - exact.tokens).max() < 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": ["up_blocks.9"]}, "'up_blocks.9', which begins none of: down_blocks"),
        ({"layers": []}, "leave nothing to trace"),
        ({"heads": [4]}, "leave nothing to trace"),
    ],
)
def test_choices_that_leave_nothing(pipeline: Any, options: dict[str, Any], message: str) -> None:
    before = state(pipeline)
    with pytest.raises(TraceError, match=message), attribution.trace(pipeline, **options):
        pytest.fail("it was entered")
    assert state(pipeline) == before


def test_steps_that_never_came(traced: Callable[..., Any]) -> None:
    with pytest.raises(TraceError, match=r"steps=\[7\]"):
        traced(DOG, options={"steps": [7]})


# --- the pipeline is left as it was


def state(pipeline: Any) -> tuple[Any, ...]:
    """What tracing touches: processors by identity, hooks, shadowed methods."""
    processors = {name: id(processor) for name, processor in pipeline.unet.attn_processors.items()}
    return processors, dict(pipeline.unet._forward_pre_hooks), set(vars(pipeline)), set(vars(pipeline.unet))


def test_restored_after_use_and_after_an_exception(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    draw(DOG)
    before = state(pipeline)
    with attribution.trace(pipeline):
        assert state(pipeline) != before
        draw(DOG)
    assert state(pipeline) == before

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), attribution.trace(pipeline) as tracer:
        draw(DOG, callback_on_step_end=fail)
    assert state(pipeline) == before
    with pytest.raises(TraceError, match="nothing was traced"):
        tracer.heat_maps()


def test_a_failed_call_leaves_no_trace_in_the_next(
    pipeline: Any, draw: Callable[..., Arrays], traced: Callable[..., Any]
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("out of paint")

    with attribution.trace(pipeline) as tracer:
        with pytest.raises(RuntimeError, match="paint"):
            draw("two cats", callback_on_step_end=fail)
        draw(DOG)
    (maps,) = tracer.heat_maps()
    assert np.array_equal(maps.tokens, traced(DOG)[0].tokens)


def test_nested_traces_both_see_all(pipeline: Any, draw: Callable[..., Arrays], traced: Callable[..., Any]) -> None:
    before = state(pipeline)
    with attribution.trace(pipeline) as outer:
        draw("two cats")
        with attribution.trace(pipeline, words=["dog"]) as inner:
            draw(DOG)
        draw("a")
    assert state(pipeline) == before
    assert [maps.prompt for maps in outer.heat_maps()] == ["two cats", DOG, "a"]
    (maps,) = inner.heat_maps()
    assert np.array_equal(outer.heat_maps()[1].tokens, traced(DOG)[0].tokens)
    assert_close(maps.word("dog").values[None], outer.heat_maps()[1].word("dog").values[None])


def test_a_tracer_may_be_entered_again_but_not_twice_at_once(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    tracer = attribution.trace(pipeline)
    with tracer:
        draw("a")
        with pytest.raises(TraceError, match="already"), tracer:
            pass
    with tracer:
        draw("b")
    assert [maps.prompt for maps in tracer.heat_maps()] == ["a", "b"]


# --- what cannot be traced, and what looks as if it could not


def test_processors_of_another_kind_are_named(pipeline: Any) -> None:
    class Custom(AttnProcessor2_0):
        pass

    name = "up_blocks.1.attentions.0.transformer_blocks.0.attn2"
    for processor in (Custom(), AttnProcessor(), SlicedAttnProcessor(1)):
        pipeline.unet.get_submodule(name).set_processor(processor)
        before = state(pipeline)
        with pytest.raises(TraceError, match=f"'{name}' attends with {type(processor).__name__}"):
            attribution.trace(pipeline).__enter__()
        assert state(pipeline) == before


def test_other_pipelines_are_refused_by_name() -> None:
    with pytest.raises(TraceError, match=r"object cannot be traced; these can: .*StableDiffusionPipeline"):
        attribution.trace(object())


def test_masked_attention_has_no_probability_behind_the_mask(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    """A text encoder's mask reaches the U-Net when it is called with one."""
    seen = torch.zeros(2, 77, dtype=torch.bool)
    seen[:, :9] = True
    forward = pipeline.unet.forward

    def masked(*args: Any, **kwargs: Any) -> Any:
        return forward(*args, **kwargs, encoder_attention_mask=seen)

    pipeline.unet.forward = masked
    try:
        plain = draw(DOG)
        with attribution.trace(pipeline) as tracer:
            assert np.array_equal(draw(DOG), plain)
    finally:
        del pipeline.unet.forward
    (maps,) = tracer.heat_maps()
    assert maps.tokens[:9].sum(axis=0).min() >= 1 - 1e-5
    assert maps.tokens[9:].max() == 0


def test_half_precision_sums_in_float32(pipeline: Any, traced: Callable[..., Any]) -> None:
    exact = traced(DOG, num_inference_steps=1)[0].tokens
    logging.set_verbosity_error()
    try:
        pipeline.to(torch.bfloat16)
        (maps,) = traced(DOG, num_inference_steps=1)
    finally:
        pipeline.to(torch.float32)
        logging.set_verbosity_warning()
    assert maps.tokens.dtype == np.float32
    assert_close(maps.tokens, exact, tolerance=0.2)
    assert np.abs(maps.tokens.sum(axis=0) - exact.sum(axis=0)).max() < 0.03


def test_attention_that_overflows_is_an_error(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    key = pipeline.unet.get_submodule("up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k")
    weight = key.weight.detach().clone()
    try:
        with attribution.trace(pipeline) as tracer, torch.no_grad():
            key.weight.fill_(torch.nan)
            draw(DOG, output_type="latent")
    finally:
        key.weight.data.copy_(weight)
    with pytest.raises(TraceError, match="not finite"):
        tracer.heat_maps()


def test_fused_projections_are_traced(pipeline: Any, traced: Callable[..., Any]) -> None:
    expected = traced(DOG)[0].tokens
    pipeline.unet.fuse_qkv_projections()
    try:
        assert_close(traced(DOG)[0].tokens, expected)
    finally:
        pipeline.unet.unfuse_qkv_projections()


def test_encoding_a_prompt_beforehand_is_not_a_call(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    with attribution.trace(pipeline) as tracer:
        embeddings, negative = pipeline.encode_prompt(DOG, "cpu", 1, True)
        draw(None, prompt_embeds=embeddings, negative_prompt_embeds=negative)
    (maps,) = tracer.heat_maps()
    assert maps.prompt is None


def test_a_word_past_the_cut_is_named(traced: Callable[..., Any]) -> None:
    prompt = "dog " * 25 + "cat"
    (maps,) = traced(prompt)
    assert maps.word("dog", occurrence=25).values.shape == (16, 16)
    with pytest.raises(WordPastTheCut, match="'cat'"):
        maps.word("cat")
    with pytest.raises(WordPastTheCut, match="'cat'"):
        traced(prompt, words=["cat"])
