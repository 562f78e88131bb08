"""What only one family has: its token axes, its guidance, its variants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    FluxFillPipeline,
    FluxImg2ImgPipeline,
    FluxInpaintPipeline,
    FluxKontextPipeline,
    PixArtSigmaPAGPipeline,
    PixArtSigmaPipeline,
    StableDiffusion3Img2ImgPipeline,
    StableDiffusion3InpaintPipeline,
)
from PIL import Image

import attribution
from attribution.errors import TraceError, WordNotInPrompt
from attribution.maps import HeatMaps

Arrays = np.ndarray[Any, Any]
Draw = Callable[..., Arrays]
DOG = "a dog chasing a ball"
T5 = 24
PICTURE = Image.effect_noise((48, 32), 90).convert("RGB")
MASK = Image.new("L", (48, 32), 255)
SIZE = {"height": 32, "width": 48}


def assert_close(ours: Arrays, theirs: Arrays, tolerance: float = 1e-5) -> None:
    assert ours.shape == theirs.shape
    assert (np.abs(ours - theirs) <= tolerance * theirs.max(axis=(-2, -1), keepdims=True) + 1e-12).all()


def traced(pipeline: Any, draw: Draw, name: str, *args: Any, **how: Any) -> list[HeatMaps]:
    with attribution.trace(pipeline) as tracer:
        draw(name, *args, pipeline=pipeline, **how)
    return tracer.heat_maps()


def again(kind: Any, pipeline: Any) -> Any:
    """The same models in another pipeline class."""
    made = kind(**{name: part for name, part in pipeline.components.items() if part is not None})
    made.set_progress_bar_config(disable=True)
    return made


# --- Stable Diffusion 3: CLIP's 77 positions, then T5's


def test_a_word_of_sd3_has_tokens_of_clip_and_of_t5(pipelines: dict[str, Any], draw: Draw) -> None:
    (maps,) = traced(pipelines["sd3"], draw, "sd3")
    positions = maps.alignment.positions(*maps.alignment.find("dog"))
    assert [maps.alignment.tokens[position].text for position in positions] == ["d", "o", "g</w>", "\u2581dog"]
    assert positions == (2, 3, 4, 78)
    np.testing.assert_allclose(maps.word("dog").values, maps.tokens[[2, 3, 4, 78]].mean(axis=0))


def test_sd3_without_t5(without_t5: Any, draw: Draw, plainly: Callable[..., Any]) -> None:
    """T5's positions are zeros then, attended to all the same, and belong to no word."""
    (maps,) = traced(without_t5, draw, "sd3")
    assert maps.tokens.shape == (77 + T5, 8, 8)
    assert all(token.special for token in maps.alignment.tokens[77:])
    assert maps.alignment.positions(*maps.alignment.find("dog")) == (2, 3, 4)
    zeros = maps.tokens[77:]
    assert_close(zeros, np.broadcast_to(zeros[0], zeros.shape))


def test_sd3_second_prompts(pipelines: dict[str, Any], draw: Draw) -> None:
    (both,) = traced(pipelines["sd3"], draw, "sd3", DOG, prompt_3="two cats")
    assert both.alignment.positions(*both.alignment.find("dog")) == (2, 3, 4)
    second = both.of_second_prompt()
    assert second.prompt == "two cats"
    assert min(second.alignment.positions(*second.alignment.find("two"))) == 77
    with pytest.raises(WordNotInPrompt, match="'dog'"):
        second.word("dog")
    (clips,) = traced(pipelines["sd3"], draw, "sd3", DOG, prompt_2="two cats")
    assert clips.alignment.positions(*clips.alignment.find("dog")) == (2, 3, 4, 78)
    assert clips.of_second_prompt().alignment.positions(0, 3) == (1, 2, 3)


def test_a_word_that_only_t5_sees(pipelines: dict[str, Any], draw: Draw) -> None:
    """CLIP's tokenizer, a token a letter here, cuts off after 75 letters; T5's has a piece for "dog"."""
    prompt = f"{'x' * 3} " * 25 + "dog"
    (maps,) = traced(pipelines["sd3"], draw, "sd3", prompt, max_sequence_length=150)
    assert maps.alignment.cut is None
    positions = maps.alignment.positions(*maps.alignment.find("dog"))
    assert len(positions) == 1
    assert maps.alignment.tokens[positions[0]].text == "\u2581dog"


def test_sd3_skipping_layers_is_no_step(pipelines: dict[str, Any], draw: Draw) -> None:
    how = {"num_inference_steps": 3, "skip_layer_guidance_start": 0.0, "skip_layer_guidance_stop": 1.0}
    (maps,) = traced(pipelines["sd3"], draw, "sd3", skip_guidance_layers=[1], **how)
    (plain,) = traced(pipelines["sd3"], draw, "sd3", num_inference_steps=1)
    assert maps.steps == 3
    with attribution.trace(pipelines["sd3"], steps=[0]) as tracer:
        draw("sd3", skip_guidance_layers=[1], **how)
    (first,) = tracer.heat_maps()
    assert_close(first.tokens, plain.tokens)


@pytest.mark.parametrize(
    ("kind", "steps", "options"),
    [
        (StableDiffusion3Img2ImgPipeline, 2, {"image": PICTURE, "strength": 0.5}),
        (StableDiffusion3InpaintPipeline, 4, {"image": PICTURE, "mask_image": MASK, "strength": 1.0}),
    ],
)
def test_sd3_from_a_picture(
    pipelines: dict[str, Any], draw: Draw, plainly: Callable[..., Any], kind: Any, steps: int, options: dict[str, Any]
) -> None:
    check_from_a_picture(again(kind, pipelines["sd3"]), "sd3", draw, plainly, 1, 77 + T5, steps, options)


def check_from_a_picture(
    pipeline: Any, name: str, draw: Draw, plainly: Any, row: int, tokens: int, steps: int, options: dict[str, Any]
) -> None:
    how = {**SIZE, "num_inference_steps": 4, **options}
    image = draw(name, pipeline=pipeline, **how)
    with attribution.trace(pipeline) as tracer:
        assert np.array_equal(draw(name, pipeline=pipeline, **how), image)
    with plainly(name, pipeline) as plain:
        draw(name, pipeline=pipeline, **how)
    (maps,) = tracer.heat_maps()
    assert maps.steps == steps
    assert_close(maps.tokens, plain.image(row, tokens, (8, 12)))


# --- FLUX: T5's tokens, no second half of the batch


def test_flux_true_guidance_leaves_the_negative_run_out(
    pipelines: dict[str, Any], draw: Draw, plainly: Callable[..., Any]
) -> None:
    how = {"negative_prompt": "two cats", "true_cfg_scale": 3.0}
    image = draw("flux", **how)
    with attribution.trace(pipelines["flux"], words=["dog"]) as chosen:
        assert np.array_equal(draw("flux", **how), image)
    (maps,) = traced(pipelines["flux"], draw, "flux", **how)
    with plainly("flux") as plain:
        draw("flux", **how)
    assert (maps.steps, maps.prompt) == (2, DOG)
    expected = plain.image(0, T5, (8, 8), steps=[0, 2])
    assert_close(maps.tokens, expected)
    assert not np.allclose(expected, plain.image(0, T5, (8, 8), steps=[1, 3]), rtol=1e-3)
    assert_close(chosen.heat_maps()[0].word("dog").values, maps.word("dog").values)


def test_flux_true_guidance_with_embeddings(pipelines: dict[str, Any], draw: Draw) -> None:
    flux = pipelines["flux"]
    embeddings, pooled, _ = flux.encode_prompt(DOG, max_sequence_length=T5)
    negative, negative_pooled, _ = flux.encode_prompt("two cats", max_sequence_length=T5)
    names = ("prompt_embeds", "pooled_prompt_embeds", "negative_prompt_embeds", "negative_pooled_prompt_embeds")
    how = dict(zip(names, (embeddings, pooled, negative, negative_pooled), strict=True))
    (bare,) = traced(flux, draw, "flux", None, true_cfg_scale=3.0, **how)
    (text,) = traced(flux, draw, "flux", negative_prompt="two cats", true_cfg_scale=3.0)
    assert bare.steps == 2
    assert_close(bare.tokens, text.tokens)


def test_flux_traces_the_prompt_that_t5_reads(pipelines: dict[str, Any], draw: Draw) -> None:
    (maps,) = traced(pipelines["flux"], draw, "flux", DOG, prompt_2="two cats")
    assert maps.prompt == "two cats"
    assert maps.word("cats").values.shape == (8, 8)


@pytest.mark.parametrize(
    ("kind", "steps", "options"),
    [
        (FluxImg2ImgPipeline, 2, {"image": PICTURE, "strength": 0.5}),
        (FluxInpaintPipeline, 4, {"image": PICTURE, "mask_image": MASK, "strength": 1.0}),
    ],
)
def test_flux_from_a_picture(
    pipelines: dict[str, Any], draw: Draw, plainly: Callable[..., Any], kind: Any, steps: int, options: dict[str, Any]
) -> None:
    check_from_a_picture(again(kind, pipelines["flux"]), "flux", draw, plainly, 0, T5, steps, options)


def test_flux_filling_a_picture(filling: Any, draw: Draw, plainly: Callable[..., Any]) -> None:
    options = {"image": PICTURE, "mask_image": MASK}
    check_from_a_picture(again(FluxFillPipeline, filling), "flux", draw, plainly, 0, T5, 4, options)


def test_flux_kontext_maps_the_drawn_picture_only(
    pipelines: dict[str, Any], draw: Draw, plainly: Callable[..., Any]
) -> None:
    """The reference picture's positions follow the drawn one's."""
    kontext = again(FluxKontextPipeline, pipelines["flux"])
    how = {**SIZE, "image": torch.rand(1, 3, 32, 48), "_auto_resize": False, "max_area": 32 * 48}
    (maps,) = traced(kontext, draw, "flux", **how)
    with plainly("flux", kontext) as plain:
        draw("flux", pipeline=kontext, **how)
    for layer in plain.layers.values():
        assert layer.steps[0].shape[-1] == T5 + 2 * 96
        layer.steps = [step[:, :, : T5 + 96] for step in layer.steps]
    assert_close(maps.tokens, plain.image(0, T5, (8, 12)))


# --- PixArt: lower case, padding masked


def test_pixart_never_looks_at_padding(pipelines: dict[str, Any], draw: Draw) -> None:
    (maps,) = traced(pipelines["pixart"], draw, "pixart", "a dog")
    seen = [not token.special for token in maps.alignment.tokens].count(True) + 1
    np.testing.assert_allclose(maps.tokens[:seen].sum(axis=0), 1, atol=3e-6)
    assert maps.tokens[seen:].max() == 0


@pytest.mark.parametrize("prompt", ["  A DOG chasing\n", "\u0130 \u0130 a Dog", "DOG"])
def test_pixart_offsets_are_those_of_the_prompt_as_written(pipelines: dict[str, Any], draw: Draw, prompt: str) -> None:
    (maps,) = traced(pipelines["pixart"], draw, "pixart", prompt)
    word = "Dog" if "Dog" in prompt else "DOG"
    assert maps.prompt == prompt
    (position,) = maps.alignment.positions(*maps.alignment.find(word))
    assert maps.alignment.tokens[position].text == "\u2581dog"


def test_a_prompt_that_cleaning_rewrites_is_refused(pipelines: dict[str, Any], draw: Draw) -> None:
    pixart = again(type(pipelines["pixart"]), pipelines["pixart"])
    pixart._text_preprocessing = lambda text, clean_caption=False: (
        ["a dog"] * (1 if isinstance(text, str) else len(text))
    )
    with pytest.raises(TraceError, match=r"cleaning turns the prompt 'a <b>dog</b>' into 'a dog'"):
        traced(pixart, draw, "pixart", "a <b>dog</b>")


@pytest.mark.parametrize("kind", [PixArtSigmaPipeline, PixArtSigmaPAGPipeline])
def test_pixart_sigma(pipelines: dict[str, Any], draw: Draw, plainly: Callable[..., Any], kind: Any) -> None:
    """Perturbed-attention guidance adds a third to the batch, and leaves cross-attention alone."""
    pipeline = again(kind, pipelines["pixart"])
    how = {"pag_scale": 2.0} if kind is PixArtSigmaPAGPipeline else {}
    image = draw("pixart", pipeline=pipeline, **how)
    with attribution.trace(pipeline) as tracer:
        assert np.array_equal(draw("pixart", pipeline=pipeline, **how), image)
    with plainly("pixart", pipeline) as plain:
        draw("pixart", pipeline=pipeline, **how)
    assert_close(tracer.heat_maps()[0].tokens, plain.image(1, T5, (8, 8)))
