"""Every pipeline class that the registry lists, at a tiny size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import (
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPAGImg2ImgPipeline,
    StableDiffusionPAGInpaintPipeline,
    StableDiffusionPAGPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPAGImg2ImgPipeline,
    StableDiffusionXLPAGInpaintPipeline,
    StableDiffusionXLPAGPipeline,
    StableDiffusionXLPipeline,
)
from PIL import Image

import attribution
from attribution.daam.families import FAMILIES, family_of
from attribution.errors import WordNotInPrompt
from attribution.maps import HeatMaps

Arrays = np.ndarray[Any, Any]
DOG = "a dog chasing a ball"
SIZE = {"height": 32, "width": 48}
PICTURE = Image.effect_noise((48, 32), 90).convert("RGB")
PAG = {"pag_scale": 2.0}
MASK = Image.new("L", (48, 32), 255)


def assert_close(ours: Arrays, theirs: Arrays) -> None:
    assert ours.shape == theirs.shape
    assert (np.abs(ours - theirs) <= 1e-5 * theirs.max(axis=(1, 2), keepdims=True)).all()


def again(pipeline: Any, seed: int, **options: Any) -> Arrays:
    options = {"num_inference_steps": 4, "output_type": "np", **options}
    return np.asarray(pipeline(DOG, generator=torch.Generator().manual_seed(seed), **options).images)


@pytest.mark.parametrize(
    ("family", "pipeline_class", "steps", "options"),
    [
        ("pipeline", StableDiffusionImg2ImgPipeline, 2, {"image": PICTURE, "strength": 0.5}),
        (
            "pipeline",
            StableDiffusionInpaintPipeline,
            4,
            {"image": PICTURE, "mask_image": MASK, **SIZE},
        ),
        ("xl", StableDiffusionXLImg2ImgPipeline, 2, {"image": PICTURE, "strength": 0.5}),
        ("xl", StableDiffusionXLInpaintPipeline, 3, {"image": PICTURE, "mask_image": MASK, **SIZE}),
        ("pipeline", StableDiffusionPAGImg2ImgPipeline, 2, {"image": PICTURE, "strength": 0.5, **PAG}),
        ("pipeline", StableDiffusionPAGInpaintPipeline, 3, {"image": PICTURE, "mask_image": MASK, **SIZE, **PAG}),
        ("xl", StableDiffusionXLPAGPipeline, 4, {**SIZE, **PAG}),
        ("xl", StableDiffusionXLPAGImg2ImgPipeline, 2, {"image": PICTURE, "strength": 0.5, **PAG}),
        ("xl", StableDiffusionXLPAGInpaintPipeline, 3, {"image": PICTURE, "mask_image": MASK, **SIZE, **PAG}),
    ],
)
def test_variants_of_the_pipelines(
    request: pytest.FixtureRequest,
    plainly: Callable[..., Any],
    family: str,
    pipeline_class: Any,
    steps: int,
    options: dict[str, Any],
) -> None:
    text_to_image = request.getfixturevalue(family)
    extra = {} if family == "xl" else {"requires_safety_checker": False}
    components = {name: part for name, part in text_to_image.components.items() if name != "add_watermarker"}
    pipeline = pipeline_class(**components, **extra)
    pipeline.set_progress_bar_config(disable=True)
    plain_image = again(pipeline, 1, **options)
    with attribution.trace(pipeline) as tracer:
        assert np.array_equal(again(pipeline, 1, **options), plain_image)
    with plainly(pipeline) as plain:
        again(pipeline, 1, **options)
    (maps,) = tracer.heat_maps()
    assert maps.steps == steps
    assert_close(maps.tokens, plain.image(1, (16, 24)))
    assert maps.word("dog").values.shape == (16, 24)


@pytest.mark.parametrize(("guidance", "row"), [(5.0, 2), (0.0, 0)])
def test_perturbed_attention_guidance(pipeline: Any, plainly: Callable[..., Any], guidance: float, row: int) -> None:
    """The batch is [unconditional, conditional, perturbed], or without its first third."""
    perturbed = StableDiffusionPAGPipeline(**pipeline.components, requires_safety_checker=False)
    perturbed.set_progress_bar_config(disable=True)
    options = {"height": 32, "width": 32, "num_images_per_prompt": 2, "guidance_scale": guidance, "pag_scale": 2.0}
    before = perturbed.unet.attn_processors
    with attribution.trace(perturbed) as tracer:
        again(perturbed, 1, **options)
    after = perturbed.unet.attn_processors
    assert all(after[name] is before[name] for name in before if ".attn2." in name)
    with plainly(perturbed) as plain:
        again(perturbed, 1, **options)
    for index, maps in enumerate(tracer.heat_maps()):
        assert_close(maps.tokens, plain.image(row + index, (16, 16)))


def test_xl_text_to_image(xl: Any, draw_xl: Callable[..., Arrays], plainly: Callable[..., Any]) -> None:
    prompts = [DOG, "two cats"]
    plain_images = draw_xl(prompts, seeds=(1, 2), width=48)
    with attribution.trace(xl) as tracer:
        assert np.array_equal(draw_xl(prompts, seeds=(1, 2), width=48), plain_images)
    with plainly(xl) as plain:
        draw_xl(prompts, seeds=(1, 2), width=48)
    for index, maps in enumerate(tracer.heat_maps()):
        assert maps.prompt == prompts[index]
        assert maps.second is None
        assert_close(maps.tokens, plain.image(2 + index, (16, 24)))


def test_xl_second_prompt_has_words_of_its_own(xl: Any, draw_xl: Callable[..., Arrays]) -> None:
    with attribution.trace(xl) as tracer:
        draw_xl(DOG, prompt_2="oil on canvas")
    (maps,) = tracer.heat_maps()
    assert maps.word("dog").text == "dog"
    with pytest.raises(WordNotInPrompt, match="'oil'"):
        maps.word("oil")
    second = maps.of_second_prompt()
    np.testing.assert_array_equal(second.word("oil").values, maps.tokens[1:4].mean(axis=0))
    assert HeatMaps.from_bytes(*maps.to_bytes()).of_second_prompt().prompt == "oil on canvas"


def test_xl_precomputed_embeddings(xl: Any, draw_xl: Callable[..., Arrays]) -> None:
    names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
    embeddings = dict(zip(names, xl.encode_prompt(DOG), strict=True))
    with attribution.trace(xl) as tracer:
        draw_xl(DOG)
        draw_xl(None, **embeddings)
    text, bare = tracer.heat_maps()
    assert bare.prompt is None
    assert_close(bare.tokens, text.tokens)


def test_a_subclass_is_of_its_parents_family(xl: Any) -> None:
    class Mine(StableDiffusionXLPipeline):
        pass

    components = {name: part for name, part in xl.components.items() if name != "add_watermarker"}
    assert family_of(Mine(**components)) is family_of(xl)


def test_every_pipeline_of_the_registry_is_one_of_diffusers() -> None:
    names = [name for family in FAMILIES for name in family.pipelines]
    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(diffusers, name)] == []
