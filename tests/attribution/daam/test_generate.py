"""Images and maps by recipe: whatever the batch, the same."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch

import attribution
from attribution.errors import PipelineError, WordNotInPrompt
from attribution.records import Recipe

RECIPE = Recipe("tiny", steps=2, guidance=5.0, height=32, width=48)
PROMPTS = ["a dog", "two cats", "a red ball"]


def test_images_and_maps_in_order(pipeline: Any) -> None:
    drawn = list(attribution.generate(pipeline, RECIPE, PROMPTS, [1, 2, 3]))
    assert [image.heat_maps.prompt for image in drawn] == PROMPTS
    assert [image.heat_maps.seed for image in drawn] == [1, 2, 3]
    assert all(image.image.size == (48, 32) for image in drawn)
    assert all(image.heat_maps.tokens.shape == (77, 16, 24) for image in drawn)
    assert all(image.heat_maps.recipe == asdict(RECIPE) and image.heat_maps.steps == 2 for image in drawn)
    assert all(image.seconds > 0 for image in drawn)


def test_the_batch_changes_nothing(pipeline: Any) -> None:
    together = list(attribution.generate(pipeline, RECIPE, PROMPTS, [1, 2, 3]))
    apart = list(attribution.generate(pipeline, RECIPE, PROMPTS, [1, 2, 3], batch_size=1))
    for one, other in zip(together, apart, strict=True):
        assert np.abs(np.asarray(one.image, int) - np.asarray(other.image, int)).max() <= 1
        assert np.abs(one.heat_maps.tokens - other.heat_maps.tokens).max() <= 1e-6


def test_the_same_again(pipeline: Any) -> None:
    first, second = (list(attribution.generate(pipeline, RECIPE, ["a dog"] * 2, [1, 2])) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.image.tobytes() == other.image.tobytes()
        assert one.heat_maps.to_bytes() == other.heat_maps.to_bytes()
    assert first[0].image.tobytes() != first[1].image.tobytes()


def test_it_is_the_pipelines_own_image(pipeline: Any) -> None:
    (drawn,) = attribution.generate(pipeline, RECIPE, ["a dog"], [7])
    generator = torch.Generator().manual_seed(7)
    options = {"num_inference_steps": 2, "guidance_scale": 5.0, "height": 32, "width": 48}
    assert drawn.image.tobytes() == pipeline("a dog", generator=generator, **options).images[0].tobytes()


def test_another_scheduler_for_this_time_only(pipeline: Any) -> None:
    own = pipeline.scheduler
    (plain,) = attribution.generate(pipeline, RECIPE, ["a dog"], [1])
    (other,) = attribution.generate(pipeline, replace(RECIPE, scheduler="DDPMScheduler"), ["a dog"], [1])
    assert pipeline.scheduler is own
    assert plain.image.tobytes() != other.image.tobytes()


def test_only_some_words_also_across_batches(pipeline: Any) -> None:
    words = [["dog"], [(0, 3), "cats"], ["ball"]]
    drawn = list(attribution.generate(pipeline, RECIPE, PROMPTS, [1, 2, 3], words, batch_size=2))
    assert [len(image.heat_maps.tokens) for image in drawn] == [3, 7, 4]
    with pytest.raises(WordNotInPrompt, match="'dog'"):
        list(attribution.generate(pipeline, RECIPE, PROMPTS, [1, 2, 3], ["dog"]))


def test_nothing_to_draw(pipeline: Any) -> None:
    assert list(attribution.generate(pipeline, RECIPE, [], [])) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dtype": "float16"}, "asks for float16, the pipeline is in float32"),
        ({"steps": 0}, "0 steps"),
        ({"height": 30}, "30 x 48"),
        ({"width": 0}, "32 x 0"),
        ({"scheduler": "UNet2DConditionModel"}, "no scheduler class"),
        ({"scheduler": "NoSuchScheduler"}, "no scheduler class"),
    ],
)
def test_recipes_that_do_not_fit_are_refused_at_once(pipeline: Any, change: dict[str, Any], message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        attribution.generate(pipeline, replace(RECIPE, **change), ["a dog"], [1])


def test_one_seed_a_prompt(pipeline: Any) -> None:
    with pytest.raises(ValueError, match="2 seeds for 1 prompts"):
        attribution.generate(pipeline, RECIPE, ["a dog"], [1, 2])
