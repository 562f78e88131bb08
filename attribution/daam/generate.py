"""Images with their maps, from prompts and seeds, by a recipe."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from attribution.daam.batches import GroupSize, SizeMemory, SizesInFile, default_cache, is_out_of_memory
from attribution.daam.decoding import decoded
from attribution.daam.drawing import Drawing, Order, Sketch, no_memory, scheduler_class
from attribution.daam.methods import observe
from attribution.daam.pipelines import kept_pipeline
from attribution.daam.words import Words, one_list_a_prompt
from attribution.errors import PipelineError
from attribution.maps.heat_maps import HeatMaps
from attribution.records import Recipe


@dataclass(frozen=True, slots=True)
class Drawn:
    """One image, the maps of its tokens, its share of the ``seconds`` that its group took, and the group's size."""

    image: Image.Image
    heat_maps: HeatMaps
    seconds: float
    together: int


def generate(
    recipe: Recipe,
    prompts: Sequence[str],
    seeds: Sequence[int],
    words: Words | None = None,
    *,
    method: str = "daam",
    pipeline: Any = None,
    device: str | torch.device | None = None,
    cache: str | Path | SizeMemory | None = None,
) -> Generator[Drawn]:
    """Draw ``prompts[i]`` from ``seeds[i]`` by ``recipe``, and yield the results in that order.

    ::

        for drawn in attribution.generate(recipe, ["a red star", "two green fish"], [1, 2]):
            drawn.image.save(f"{drawn.heat_maps.seed}.png")

    The recipe's model is loaded onto ``device`` (a GPU where there is one) and kept for the next call, unless a
    ``pipeline`` is given, which is then in use until the results are taken or the iterator is closed.

    The same recipe, prompt and seed give the same bytes on the same machine, whatever else is drawn along: each image
    has its own random generator, on the CPU, and images are drawn in groups of one size, which is remembered for the
    recipe and the device. When memory runs out, groups are halved, and that is remembered in the folder ``cache``
    (default: ``$ATTRIBUTION_CACHE``, else the user's cache folder), or in a memory of your own
    (:class:`~attribution.daam.batches.SizeMemory`). While a group is decoded, and while the caller does something with
    its results, the next one is being drawn.

    ``words`` keeps only some words' maps, as in :func:`attribution.trace`; ``method`` makes them otherwise than DAAM
    does, by a name of :mod:`attribution.daam.methods`. Raises TraceError for a method that does not fit the pipeline,
    PipelineError when the recipe does not or an image does not fit into memory, ValueError when there is not one seed a
    prompt, WordError when ``words`` do not fit the prompts.
    """
    if len(prompts) != len(seeds):
        raise ValueError(f"{len(seeds)} seeds for {len(prompts)} prompts")
    lists = [None] * len(prompts) if words is None else one_list_a_prompt(words, len(prompts))
    orders = [Order(*order) for order in zip(prompts, seeds, lists, strict=True)]
    pipeline = kept_pipeline(recipe, device) if pipeline is None else pipeline
    _check(pipeline, recipe)
    observe(method, pipeline)  # refuses what does not fit, before any work
    positions = (recipe.height // pipeline.vae_scale_factor) * (recipe.width // pipeline.vae_scale_factor)
    memory = SizesInFile(Path(cache or default_cache())) if cache is None or isinstance(cache, str | Path) else cache
    size = GroupSize(recipe, pipeline.device, positions, memory)
    if words is not None and pipeline.device.type == "cpu":
        # How many tokens a group's images keep is a shape, too: alone, it is each image's own.
        size.images = 1
    return _results(pipeline, recipe, Drawing(pipeline, recipe, orders, size, method))


def _results(pipeline: Any, recipe: Recipe, drawing: Drawing) -> Generator[Drawn]:
    """The results in order; one group is being drawn in the background while the one before is decoded and used."""
    with ThreadPoolExecutor(1, "attribution-draw") as pool:
        try:
            ahead = pool.submit(drawing.next_group)
            while sketches := ahead.result():
                ahead = pool.submit(drawing.next_group)
                for sketch in sketches:
                    yield _finished(pipeline, recipe, sketch, ahead)
        finally:
            drawing.stop()


def _finished(pipeline: Any, recipe: Recipe, sketch: Sketch, ahead: Future[list[Sketch]]) -> Drawn:
    began = time.perf_counter()
    image = _decoded(pipeline, recipe, sketch, ahead)
    maps = replace(sketch.heat_maps, recipe=asdict(recipe), seed=sketch.order.seed)
    return Drawn(image, maps, sketch.seconds + time.perf_counter() - began, sketch.together)


def _decoded(pipeline: Any, recipe: Recipe, sketch: Sketch, ahead: Future[list[Sketch]]) -> Image.Image:
    """The sketch's image; when memory runs out, once more after the group that is being drawn."""
    for last_attempt in (False, True):
        try:
            with _beside(pipeline.device):
                return decoded(pipeline, sketch.latents, recipe.height, recipe.width)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if last_attempt:
                raise no_memory(recipe) from error
        ahead.exception()  # waits, raises nothing
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    raise AssertionError


def _beside(device: torch.device) -> AbstractContextManager[Any]:
    """On a GPU a stream of its own, or decoding would wait for what the next group has queued there."""
    if device.type != "cuda":
        return nullcontext()
    return torch.cuda.stream(torch.cuda.Stream(device))  # type: ignore[no-untyped-call]


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
        scheduler_class(recipe.scheduler)
