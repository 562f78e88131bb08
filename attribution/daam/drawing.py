"""Groups of images up to their latents, with their maps: what runs one group ahead of its decoding."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any
from weakref import WeakKeyDictionary

import diffusers
import torch
from torch import Tensor

from attribution.daam.batches import GroupSize, is_out_of_memory
from attribution.daam.families import family_of
from attribution.daam.methods import observe
from attribution.daam.words import Wanted
from attribution.errors import PipelineError
from attribution.maps.heat_maps import HeatMaps
from attribution.records import Recipe

_BUSY: WeakKeyDictionary[Any, Lock] = WeakKeyDictionary()
"""For each pipeline a lock: two runs with one pipeline take turns, a group each."""


@dataclass(frozen=True, slots=True)
class Order:
    """One image to draw."""

    prompt: str
    seed: int
    words: Sequence[Wanted] | None


@dataclass(frozen=True, slots=True)
class Sketch:
    """One image before it is decoded: ``latents`` [1, ...], its maps, its share of its group's ``seconds``, and the
    group's size.
    """

    order: Order
    latents: Tensor
    heat_maps: HeatMaps
    seconds: float
    together: int


class Drawing:
    """The orders of one run, drawn a group at a time; :meth:`stop` may be called from another thread."""

    def __init__(
        self, pipeline: Any, recipe: Recipe, orders: Sequence[Order], size: GroupSize, method: str = "daam"
    ) -> None:
        self._pipeline = pipeline
        self._recipe = recipe
        self._method = method
        self._left = list(orders)
        self._size = size
        self._stop = Event()

    def stop(self) -> None:
        """Break off before the next run of the denoiser."""
        self._stop.set()

    def next_group(self) -> list[Sketch]:
        """Draw the next group, in halves if memory runs out; empty when there is none left.

        Raises PipelineError, naming the recipe, when memory does not suffice for a single image.
        """
        while self._left:
            group = self._left[: self._size.images]
            sketches = self._attempt(group)
            if sketches is not None:
                del self._left[: len(group)]
                return sketches
            if self._size.images == 1:
                raise no_memory(self._recipe)
            self._size.halve()
        return []

    def _attempt(self, group: list[Order]) -> list[Sketch] | None:
        """The group's sketches; None when memory ran out, with everything that the attempt held let go."""
        try:
            return self._drawn(group)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return None

    def _drawn(self, group: list[Order]) -> list[Sketch]:
        """One call of the pipeline, the group filled up with its last order to the size of all groups."""
        began = time.perf_counter()
        filled = group + group[-1:] * (self._size.images - len(group))
        words = None if filled[0].words is None else [order.words or () for order in filled]
        with ExitStack() as exits:
            exits.enter_context(_BUSY.setdefault(self._pipeline, Lock()))
            exits.enter_context(scheduled(self._pipeline, self._recipe.scheduler))
            exits.enter_context(self._stoppable())
            observer = exits.enter_context(observe(self._method, self._pipeline, words))
            latents = self._pipeline([order.prompt for order in filled], **self._options(filled)).images
        maps = observer.heat_maps()
        seconds = (time.perf_counter() - began) / len(group)
        return [
            Sketch(order, latents[index : index + 1], maps[index], seconds, len(filled))
            for index, order in enumerate(group)
        ]

    def _options(self, orders: list[Order]) -> dict[str, Any]:
        recipe = self._recipe
        options: dict[str, Any] = {
            "num_inference_steps": recipe.steps,
            "guidance_scale": recipe.guidance,
            "height": recipe.height,
            "width": recipe.width,
            "generator": [torch.Generator("cpu").manual_seed(order.seed) for order in orders],
            "output_type": "latent",
        }
        # The size is the recipe's, not the nearest of a list, and the prompt is drawn as it was written.
        known = inspect.signature(self._pipeline.__call__).parameters
        return options | {name: False for name in ("use_resolution_binning", "clean_caption") if name in known}

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        def check(*_: Any) -> None:
            if self._stop.is_set():
                raise Stopped

        denoiser = getattr(self._pipeline, family_of(self._pipeline).denoiser)
        handle = denoiser.register_forward_pre_hook(check)
        try:
            yield
        finally:
            handle.remove()


class Stopped(Exception):
    """Nobody waits for the images any more."""


def no_memory(recipe: Recipe) -> PipelineError:
    """The error when one image alone does not fit into memory."""
    return PipelineError(
        f"memory does not suffice for one image of {recipe.height} x {recipe.width} pixels by the recipe of "
        f"{recipe.model!r} ({recipe.steps} steps, {recipe.dtype}): end what else uses the device, choose a smaller "
        "size, dtype float16 or bfloat16, or name fewer words"
    )


@contextmanager
def scheduled(pipeline: Any, name: str) -> Iterator[None]:
    """Give the pipeline another scheduler for a while; '' leaves its own."""
    own = pipeline.scheduler
    if name:
        pipeline.scheduler = scheduler_class(name).from_config(own.config)
    try:
        yield
    finally:
        pipeline.scheduler = own


def scheduler_class(name: str) -> Any:
    """A scheduler class of diffusers by its name; raises PipelineError for any other name."""
    found = getattr(diffusers, name, None)
    if not (isinstance(found, type) and issubclass(found, diffusers.SchedulerMixin)):
        raise PipelineError(f"the recipe's scheduler {name!r} is no scheduler class of diffusers")
    return found
