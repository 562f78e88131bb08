"""Images and maps by recipe: the same bytes whatever the batch, in the memory there is, one group ahead."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from diffusers.utils import logging

import attribution
from attribution.daam import batches, pipelines
from attribution.errors import PipelineError, TraceError, WordNotInPrompt
from attribution.presets import preset
from attribution.records import Recipe

RECIPE = Recipe("tiny", steps=2, guidance=5.0, height=32, width=48)
SMALL = replace(RECIPE, width=32)
PROMPTS = ["a dog", "two cats", "a red ball"]
EIGHT = [*PROMPTS, "", "an elephant in a very small bathtub", "a ß", "a dog", "one more dog"]
SEEDS = [5, 6, 7, 8, 9, 10, 11, 5]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """With one thread, small images are drawn in groups; with several, one by one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def generate(pipeline: Any, tmp_path: Path) -> Callable[..., list[attribution.Drawn]]:
    def call(recipe: Recipe = RECIPE, *args: Any, **options: Any) -> list[attribution.Drawn]:
        return list(attribution.generate(recipe, *args, **{"pipeline": pipeline, "cache": tmp_path, **options}))

    return call


def files(drawn: attribution.Drawn) -> tuple[bytes, ...]:
    """The bytes of the PNG, of the ``.npz`` and of the ``.json``."""
    png = io.BytesIO()
    drawn.image.save(png, "PNG")
    return png.getvalue(), *drawn.heat_maps.to_bytes()


def test_images_and_maps_in_order(generate: Any) -> None:
    drawn = generate(RECIPE, PROMPTS, [1, 2, 3])
    assert [image.heat_maps.prompt for image in drawn] == PROMPTS
    assert [image.heat_maps.seed for image in drawn] == [1, 2, 3]
    assert all(image.image.size == (48, 32) for image in drawn)
    assert all(image.heat_maps.tokens.shape == (77, 16, 24) for image in drawn)
    assert all(image.heat_maps.recipe == asdict(RECIPE) and image.heat_maps.steps == 2 for image in drawn)
    assert all(image.seconds > 0 for image in drawn)


@pytest.mark.parametrize(("side", "dtype", "images"), [(32, "float32", 8), (64, "float32", 3), (32, "bfloat16", 5)])
def test_the_same_bytes_whatever_the_batch(pipeline: Any, generate: Any, side: int, dtype: str, images: int) -> None:
    """Groups are of four at 16 x 16 latents and of one at 32 x 32; requests of one image, two, three, five, eight."""
    recipe = replace(RECIPE, steps=1, height=side, width=side, dtype=dtype)
    logging.set_verbosity_error()
    pipeline.to(getattr(torch, dtype))
    try:
        prompts, seeds = EIGHT[:images], SEEDS[:images]
        together = [files(drawn) for drawn in generate(recipe, prompts, seeds)]
        for size in (1, 2, 3, 5)[: images - 1]:
            parts = [slice(start, start + size) for start in range(0, images, size)]
            apart = [files(drawn) for part in parts for drawn in generate(recipe, prompts[part], seeds[part])]
            assert apart == together
    finally:
        pipeline.to(torch.float32)
        logging.set_verbosity_warning()
    assert len(set(together)) == images


def test_some_words_whatever_the_batch(generate: Any) -> None:
    words = [["dog"], ["two", "cats"], [(2, 5)]]
    together = [files(drawn) for drawn in generate(SMALL, PROMPTS, [1, 2, 3], words)]
    apart = [
        files(drawn)
        for prompt, seed, wanted in zip(PROMPTS, [1, 2, 3], words, strict=True)
        for drawn in generate(SMALL, [prompt], [seed], [wanted])
    ]
    assert apart == together


@pytest.mark.parametrize(("family", "dtype"), [("pipeline", "float32"), ("xl", "float32"), ("xl", "float16")])
def test_it_is_the_pipelines_own_image(family: str, dtype: str, request: pytest.FixtureRequest, generate: Any) -> None:
    drawer = request.getfixturevalue(family)
    recipe = replace(RECIPE, steps=1, height=64, width=64, dtype=dtype)
    options = {"num_inference_steps": 1, "guidance_scale": 5.0, "height": 64, "width": 64}
    logging.set_verbosity_error()
    drawer.to(getattr(torch, dtype))
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning)  # XL's pipeline calls what it deprecates
            results = generate(recipe, ["a dog", "a cat"], [7, 8], pipeline=drawer)
            for drawn, prompt, seed in zip(results, ["a dog", "a cat"], [7, 8], strict=True):
                own = drawer(prompt, generator=torch.Generator().manual_seed(seed), **options).images[0]
                assert drawn.image.tobytes() == own.tobytes()
            assert drawer.vae.dtype == getattr(torch, dtype)
    finally:
        drawer.to(torch.float32)
        logging.set_verbosity_warning()


def test_another_scheduler_for_this_time_only(pipeline: Any, generate: Any) -> None:
    own = pipeline.scheduler
    (plain,) = generate(RECIPE, ["a dog"], [1])
    (other,) = generate(replace(RECIPE, scheduler="DDPMScheduler"), ["a dog"], [1])
    assert pipeline.scheduler is own
    assert plain.image.tobytes() != other.image.tobytes()


def test_only_some_words(generate: Any) -> None:
    words = [["dog"], [(0, 3), "cats"], ["ball"]]
    assert [len(drawn.heat_maps.tokens) for drawn in generate(RECIPE, PROMPTS, [1, 2, 3], words)] == [3, 7, 4]
    with pytest.raises(WordNotInPrompt, match="'dog'"):
        generate(RECIPE, PROMPTS, [1, 2, 3], ["dog"])


def test_nothing_to_draw(generate: Any) -> None:
    assert generate(RECIPE, [], []) == []


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
        attribution.generate(replace(RECIPE, **change), ["a dog"], [1], pipeline=pipeline)


def test_one_seed_a_prompt(pipeline: Any) -> None:
    with pytest.raises(ValueError, match="2 seeds for 1 prompts"):
        attribution.generate(RECIPE, ["a dog"], [1, 2], pipeline=pipeline)


# --- the memory there is


@contextmanager
def watched(module: Any, see: Callable[[Any], None]) -> Iterator[None]:
    """``see`` the first argument of every call of ``module``."""
    handle = module.register_forward_pre_hook(
        lambda _, args, kwargs: see((*args, *kwargs.values())[0]), with_kwargs=True
    )
    try:
        yield
    finally:
        handle.remove()


def short_of_memory(pipeline: Any, images: int, calls: list[int], error: Exception | None = None) -> Any:
    """A device on which no more than ``images`` can be drawn together, with guidance on."""

    def see(sample: Any) -> None:
        calls.append(len(sample) // 2)
        if len(sample) > 2 * images:
            raise error or torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    return watched(pipeline.unet, see)


def test_groups_are_halved_until_they_fit_and_the_size_is_remembered(
    pipeline: Any, generate: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[int] = []
    with short_of_memory(pipeline, 1, calls):
        drawn = generate(SMALL, PROMPTS, [1, 2, 3])
    assert calls == [4, 2, 1, 1, 1, 1, 1, 1]  # two steps an image
    assert [image.heat_maps.prompt for image in drawn] == PROMPTS
    assert caplog.messages[-1].startswith("Memory ran out: 1 images are drawn together from now on.")
    assert json.loads((tmp_path / "batches.json").read_text()) == {f"{SMALL.digest[:16]} on cpu": 1}
    calls.clear()
    with short_of_memory(pipeline, 1, calls):
        again = generate(SMALL, PROMPTS, [1, 2, 3])
    assert set(calls) == {1}
    assert [files(image) for image in again] == [files(image) for image in drawn]
    with watched(pipeline.unet, lambda sample: calls.append(len(sample) // 2)):
        generate(replace(SMALL, guidance=6.0), ["a dog"], [1])
    assert calls[-1] == 4  # another recipe learns for itself


def test_one_image_that_does_not_fit_is_an_error_with_the_recipe(pipeline: Any, generate: Any) -> None:
    calls: list[int] = []
    exhausted = RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")
    with (
        short_of_memory(pipeline, 0, calls, exhausted),
        pytest.raises(PipelineError, match=r"one image of 32 x 32 pixels by the recipe of 'tiny' \(2 steps, float32\)"),
    ):
        generate(SMALL, PROMPTS, [1, 2, 3])
    assert calls == [4, 2, 1]


def test_other_errors_are_not_taken_for_a_lack_of_memory(pipeline: Any, generate: Any) -> None:
    calls: list[int] = []
    with short_of_memory(pipeline, 0, calls, RuntimeError("size mismatch")), pytest.raises(RuntimeError, match="size"):
        generate(SMALL, ["a dog"], [1])
    assert calls == [4]


@pytest.mark.parametrize("content", ["", "[]", '{"x": "many"}', '{"KEY": 0}', '{"KEY": 1.5}'])
def test_a_damaged_memory_is_no_memory(generate: Any, pipeline: Any, tmp_path: Path, content: str) -> None:
    calls: list[int] = []
    (tmp_path / "batches.json").write_text(content.replace("KEY", f"{SMALL.digest[:16]} on cpu"))
    with watched(pipeline.unet, lambda sample: calls.append(len(sample) // 2)):
        generate(replace(SMALL, steps=2), ["a dog"], [1])
    assert calls == [4, 4]


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    pipeline: Any, generate: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with short_of_memory(pipeline, 2, []):
        assert len(generate(SMALL, PROMPTS, [1, 2, 3], cache=tmp_path / "file")) == 3
    assert "cannot be remembered" in caplog.text


def test_decoding_that_runs_out_of_memory_waits_for_the_next_group(
    pipeline: Any, generate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [files(drawn) for drawn in generate(SMALL, PROMPTS, [1, 2, 3])]
    decode, failures = pipeline.vae.decode, iter([True, False, False, True, False])

    def sometimes(*args: Any, **options: Any) -> Any:
        if next(failures):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return decode(*args, **options)

    monkeypatch.setattr(pipeline.vae, "decode", sometimes)
    assert [files(drawn) for drawn in generate(SMALL, PROMPTS, [1, 2, 3])] == expected

    def never(*_: Any, **__: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(pipeline.vae, "decode", never)
    with pytest.raises(PipelineError, match="memory does not suffice for one image"):
        generate(SMALL, PROMPTS, [1, 2, 3])


# --- one group ahead


def test_the_next_group_is_drawn_while_the_caller_uses_the_last(pipeline: Any, tmp_path: Path) -> None:
    recipe, calls, second_group = replace(RECIPE, height=64, width=64), [], Event()

    def see(_: Any) -> None:
        calls.append(1)
        if len(calls) == 4:  # two steps of the first group, two of the second
            second_group.set()

    with watched(pipeline.unet, see):
        results = attribution.generate(recipe, PROMPTS, [1, 2, 3], pipeline=pipeline, cache=tmp_path)
        next(results)
        assert second_group.wait(timeout=60)
        results.close()
    assert len(calls) <= 6


def test_whoever_stops_early_gets_the_pipeline_back(pipeline: Any, tmp_path: Path) -> None:
    processors, scheduler, calls = pipeline.unet.attn_processors, pipeline.scheduler, []
    recipe = replace(RECIPE, height=64, width=64, steps=20, scheduler="DDPMScheduler")
    running = Event()

    def see(_: Any) -> None:
        calls.append(1)
        if len(calls) > 23:
            running.set()

    with watched(pipeline.unet, see):
        results = attribution.generate(recipe, PROMPTS, [1, 2, 3], pipeline=pipeline, cache=tmp_path)
        next(results)
        assert running.wait(timeout=60)
        results.close()
    assert 23 < len(calls) < 40
    assert pipeline.unet.attn_processors == processors
    assert pipeline.scheduler is scheduler


# --- the pipeline by recipe


def test_the_recipes_own_pipeline_is_loaded_once(
    pipeline: Any, generate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model"
    pipeline.save_pretrained(model)
    recipe = replace(RECIPE, model=str(model), revision=preset(str(model)).recipe.revision)
    loaded: list[str] = []
    load = pipelines.load_pipeline
    monkeypatch.setattr(
        pipelines, "load_pipeline", lambda name, **options: (loaded.append(name), load(name, **options))[1]
    )
    first, second = (generate(recipe, ["a dog"], [1], pipeline=None, device="cpu")[0] for _ in range(2))
    assert loaded == [str(model)]
    assert files(first) == files(second)
    assert first.image.tobytes() == generate(RECIPE, ["a dog"], [1])[0].image.tobytes()
    (model / "unet" / "config.json").write_text((model / "unet" / "config.json").read_text() + "\n")
    with pytest.raises(PipelineError, match="no longer those that the recipe was made with"):
        generate(recipe, ["a dog"], [1], pipeline=None)


def test_maps_of_another_method(pipeline: Any, generate: Any) -> None:
    (own,), (blob,) = generate(RECIPE, ["a dog"], [1]), generate(RECIPE, ["a dog"], [1], method="blob")
    assert own.image.tobytes() == blob.image.tobytes()
    assert (own.heat_maps.method, blob.heat_maps.method) == ("daam", "blob")
    row, column = divmod(int(blob.heat_maps.word("dog").values.argmax()), 24)
    assert (row, column) in {(7, 11), (7, 12), (8, 11), (8, 12)}  # the middle of 16 x 24
    with pytest.raises(TraceError, match="no method 'magic'"):
        attribution.generate(RECIPE, ["a dog"], [1], method="magic", pipeline=pipeline)


def test_with_several_threads_each_image_is_drawn_alone(pipeline: Any, generate: Any) -> None:
    calls: list[int] = []
    torch.set_num_threads(2)  # put back by the fixture above
    with watched(pipeline.unet, lambda sample: calls.append(len(sample) // 2)):
        generate(SMALL, PROMPTS[:2], [1, 2])
    assert calls == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("device", "side", "images"), [("cpu", 64, 1), ("cpu", 16, 4), ("cuda", 64, 16), ("cuda", 128, 4), ("cuda", 512, 1)]
)
def test_the_first_guess(device: str, side: int, images: int) -> None:
    """As many positions as 16 images of 64 x 64 have on a GPU, as one of 32 x 32 has on a CPU; an image at least."""
    assert batches.first_guess(torch.device(device), side * side) == images
