"""What castorini/daam gets wrong or refuses; each case here with the right result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import attribution
from attribution.errors import WordError, WordPastTheCut

Arrays = np.ndarray[Any, Any]
DOG = "a dog and a dog"


def assert_close(ours: Arrays, theirs: Arrays) -> None:
    assert ours.shape == theirs.shape
    assert (np.abs(ours - theirs) <= 1e-5 * theirs.max(axis=(1, 2), keepdims=True)).all()


def test_two_images_a_prompt(
    pipeline: Any, draw: Callable[..., Arrays], traced: Callable[..., Any], plainly: Callable[..., Any]
) -> None:
    options = {"num_images_per_prompt": 2, "seeds": (1, 2, 3, 4)}
    maps = traced([DOG, "two cats"], **options)
    with plainly(pipeline) as plain:
        draw([DOG, "two cats"], **options)
    assert [image.prompt for image in maps] == [DOG, DOG, "two cats", "two cats"]
    for index, image in enumerate(maps):
        assert_close(image.tokens, plain.image(4 + index, (16, 16)))


def test_guidance_off(
    pipeline: Any, draw: Callable[..., Arrays], traced: Callable[..., Any], plainly: Callable[..., Any]
) -> None:
    (maps,) = traced(DOG, guidance_scale=1.0)
    with plainly(pipeline) as plain:
        draw(DOG, guidance_scale=1.0)
    assert_close(maps.tokens, plain.image(0, (16, 16)))


def test_guidance_switched_off_half_way(pipeline: Any, draw: Callable[..., Arrays], traced: Callable[..., Any]) -> None:
    def stop(pipe: Any, _step: int, _time: int, tensors: dict[str, Any]) -> dict[str, Any]:
        pipe._guidance_scale = 0.0
        return {"prompt_embeds": tensors["prompt_embeds"].chunk(2)[-1]}

    options = {"callback_on_step_end": stop, "callback_on_step_end_tensor_inputs": ["prompt_embeds"]}
    (maps,) = traced(DOG, num_inference_steps=2, **options)
    (first,) = traced(DOG, num_inference_steps=1)
    assert maps.steps == 2
    assert maps.tokens.sum() == pytest.approx(first.tokens.sum(), rel=0.02)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (16, 16), (24, 32), (32, 24)])
def test_sizes_other_than_the_models_own(
    pipeline: Any,
    draw: Callable[..., Arrays],
    traced: Callable[..., Any],
    plainly: Callable[..., Any],
    height: int,
    width: int,
) -> None:
    """Levels are not shifted, landscape maps are not transposed, portrait ones do not crash."""
    (maps,) = traced(DOG, height=height, width=width, num_inference_steps=1)
    with plainly(pipeline) as plain:
        draw(DOG, height=height, width=width, num_inference_steps=1)
    assert_close(maps.tokens, plain.image(1, (height // 2, width // 2)))


def test_a_repeated_word_is_two_words(traced: Callable[..., Any]) -> None:
    (maps,) = traced(DOG)
    first, second = maps.word("dog"), maps.word("dog", occurrence=2)
    assert (first.start, second.start) == (2, 12)
    assert not np.allclose(first.values, second.values, rtol=1e-3)
    letters = [i for i, token in enumerate(maps.alignment.tokens) if not token.special and 12 <= token.start < 15]
    np.testing.assert_array_equal(second.values, maps.tokens[letters].mean(axis=0))


def test_na_is_not_found_inside_naive(traced: Callable[..., Any]) -> None:
    (maps,) = traced("a naive na")
    assert maps.word("na").start == 8


def test_a_word_past_the_last_token(traced: Callable[..., Any]) -> None:
    (maps,) = traced("x" * 80)
    with pytest.raises(WordPastTheCut, match=r"x{80}"):
        maps.word(0, 80)


def test_precomputed_embeddings(pipeline: Any, draw: Callable[..., Arrays], traced: Callable[..., Any]) -> None:
    embeddings, negative = pipeline.encode_prompt(DOG, "cpu", 1, True)
    (maps,) = traced(None, prompt_embeds=embeddings, negative_prompt_embeds=negative)
    assert_close(maps.tokens, traced(DOG)[0].tokens)
    with pytest.raises(WordError, match="precomputed embeddings"):
        maps.word("dog")
    with pytest.raises(WordError, match="precomputed embeddings"):
        traced(None, prompt_embeds=embeddings, negative_prompt_embeds=negative, words=["dog"])


def test_two_prompts(
    pipeline: Any, draw: Callable[..., Arrays], traced: Callable[..., Any], plainly: Callable[..., Any]
) -> None:
    maps = traced([DOG, "two cats"], seeds=(1, 2))
    with plainly(pipeline) as plain:
        draw([DOG, "two cats"], seeds=(1, 2))
    for index in (0, 1):
        assert_close(maps[index].tokens, plain.image(2 + index, (16, 16)))


def test_a_negative_prompt_is_not_the_prompt(traced: Callable[..., Any]) -> None:
    (maps,) = traced(DOG, negative_prompt="ugly")
    assert maps.prompt == DOG


def test_one_prompt_as_a_list(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    with attribution.trace(pipeline) as tracer:
        draw([DOG])
    assert [maps.prompt for maps in tracer.heat_maps()] == [DOG]
