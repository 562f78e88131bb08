"""Images with their maps, from prompts and seeds, by a recipe."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import diffusers
import torch
from PIL import Image

from attribution.daam.capture import trace
from attribution.daam.words import Wanted, Words, one_list_a_prompt
from attribution.errors import PipelineError
from attribution.maps.heat_maps import HeatMaps
from attribution.records import Recipe


@dataclass(frozen=True, slots=True)
class Drawn:
    """One image, the maps of its tokens, and its share of the batch's ``seconds``."""

    image: Image.Image
    heat_maps: HeatMaps
    seconds: float


def generate(
    pipeline: Any,
    recipe: Recipe,
    prompts: Sequence[str],
    seeds: Sequence[int],
    words: Words | None = None,
    *,
    batch_size: int = 16,
) -> Iterator[Drawn]:
    """Draw ``prompts[i]`` from ``seeds[i]`` by ``recipe``, and yield the results in that order.

    Up to ``batch_size`` images are drawn together. Each has its own random generator, on the CPU, so that its noise
    does not depend on its batch: on one machine, equal batch sizes give equal bytes, and others differ by the order
    of float32 sums only, which may move a pixel by 1 of 255. ``words`` keeps only some words' maps, as in
    :func:`attribution.trace`. Raises PipelineError when the recipe does not fit the pipeline, ValueError when
    there is not one seed a prompt, WordError when ``words`` do not fit the prompts.
    """
    if len(prompts) != len(seeds):
        raise ValueError(f"{len(seeds)} seeds for {len(prompts)} prompts")
    _check(pipeline, recipe)
    lists = None if words is None else one_list_a_prompt(words, len(prompts))
    return _batches(pipeline, recipe, prompts, seeds, lists, batch_size)


def _batches(
    pipeline: Any,
    recipe: Recipe,
    prompts: Sequence[str],
    seeds: Sequence[int],
    words: list[Sequence[Wanted]] | None,
    batch_size: int,
) -> Iterator[Drawn]:
    for start in range(0, len(prompts), batch_size):
        part = slice(start, start + batch_size)
        yield from _draw(pipeline, recipe, list(prompts[part]), list(seeds[part]), words and words[part])


def _draw(pipeline: Any, recipe: Recipe, prompts: list[str], seeds: list[int], words: Words | None) -> Iterator[Drawn]:
    """One batch in one call of the pipeline."""
    began = time.perf_counter()
    with _scheduler(pipeline, recipe.scheduler), trace(pipeline, words) as tracer:
        images = pipeline(
            prompts,
            num_inference_steps=recipe.steps,
            guidance_scale=recipe.guidance,
            height=recipe.height,
            width=recipe.width,
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
        ).images
    maps = tracer.heat_maps()
    seconds = (time.perf_counter() - began) / len(prompts)
    for image, heat_maps, seed in zip(images, maps, seeds, strict=True):
        yield Drawn(image, replace(heat_maps, recipe=asdict(recipe), seed=seed), seconds)


def _check(pipeline: Any, recipe: Recipe) -> None:
    """Refuse, before any work, what the pipeline would refuse later or draw otherwise than the recipe says."""
    loaded = str(pipeline.dtype).removeprefix("torch.")
    if loaded != recipe.dtype:
        raise PipelineError(f"the recipe asks for {recipe.dtype}, the pipeline is in {loaded}: load it with that dtype")
    if recipe.steps < 1:
        raise PipelineError(f"the recipe asks for {recipe.steps} steps: at least 1 is needed")
    factor = max(8, pipeline.vae_scale_factor)  # diffusers itself asks for multiples of 8
    if recipe.height < factor or recipe.width < factor or recipe.height % factor or recipe.width % factor:
        raise PipelineError(
            f"the recipe asks for {recipe.height} x {recipe.width} pixels: both must be multiples of {factor}"
        )
    if recipe.scheduler:
        _scheduler_class(recipe.scheduler)


@contextmanager
def _scheduler(pipeline: Any, name: str) -> Iterator[None]:
    """Give the pipeline another scheduler for a while; '' leaves its own."""
    own = pipeline.scheduler
    if name:
        pipeline.scheduler = _scheduler_class(name).from_config(own.config)
    try:
        yield
    finally:
        pipeline.scheduler = own


def _scheduler_class(name: str) -> Any:
    found = getattr(diffusers, name, None)
    if not (isinstance(found, type) and issubclass(found, diffusers.SchedulerMixin)):
        raise PipelineError(f"the recipe's scheduler {name!r} is no scheduler class of diffusers")
    return found
