"""Tracing: record what every word of a prompt was attended to by, while a pipeline draws.

Source: Tang et al., "What the DAAM: Interpreting Stable Diffusion Using Cross Attention", ACL 2023, section 2.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from types import TracebackType
from typing import Any

import numpy as np

from attribution.daam.attention import Attended
from attribution.daam.call import Call
from attribution.daam.choice import Choice
from attribution.daam.families import family_of
from attribution.daam.observe import observed
from attribution.daam.words import Words
from attribution.errors import TraceError
from attribution.maps.heat_maps import HeatMaps


def trace(
    pipeline: Any,
    words: Words | None = None,
    *,
    exact: bool = True,
    steps: Collection[int] | None = None,
    layers: Sequence[str] | None = None,
    heads: Collection[int] | None = None,
) -> Tracer:
    """Record heat maps of every call of ``pipeline`` within a ``with`` block.

    ::

        with attribution.trace(pipeline) as tracer:
            pipeline(["a dog chasing a red ball"])
        dog = tracer.heat_maps()[0].word("dog")

    ``words`` keeps only some words' maps, for less memory and time: one list for all prompts or one a prompt, of
    texts (every occurrence) or (start, end) offsets. ``steps`` are the denoiser's calls to record, counted from 0;
    ``layers`` the beginnings of the names of the attention layers, such as "up_blocks.1" or "mid_block", by default
    the down- and up-sampling blocks as in the paper; ``heads`` the indices of heads within each layer.
    ``exact=False`` sums the heads and layers of one resolution before it resizes and clamps: less memory, and up to
    7% of a map's peak beside the paper's definition.

    The pipeline draws the same images as without, and gets its attention processors back on every exit. Raises
    TraceError for a pipeline, a layer or a processor that cannot be traced; a call of the pipeline raises WordError
    when ``words`` do not fit its prompts.
    """
    return Tracer(pipeline, Choice(words, exact, steps, layers, heads))


class Tracer:
    """A pipeline under observation; made by :func:`trace`. May be entered again after its exit, and nested."""

    def __init__(self, pipeline: Any, choice: Choice) -> None:
        self._pipeline = pipeline
        self._family = family_of(pipeline)
        self._choice = choice
        self._call: Call | None = None
        self._finished: list[HeatMaps] = []
        self._exits: ExitStack | None = None

    def __enter__(self) -> Tracer:
        if self._exits is not None:
            raise TraceError("this tracer is already entered; make another one with attribution.trace(pipeline)")
        with ExitStack() as exits:
            denoiser = getattr(self._pipeline, self._family.denoiser)
            layers = self._choice.layers_of(self._family.layers(denoiser), self._family.default_layers)
            exits.enter_context(observed(layers, self._family.processors, self._record))
            exits.callback(denoiser.register_forward_pre_hook(self._step, with_kwargs=True).remove)
            exits.enter_context(_replaced(self._pipeline, "encode_prompt", self._beginning))
            exits.enter_context(_replaced(self._pipeline, "maybe_free_model_hooks", self._ending))
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._call = None
        exits, self._exits = self._exits, None
        if exits is not None:
            exits.close()

    def heat_maps(self) -> list[HeatMaps]:
        """The maps of all images made so far, in the order of calls and of images within a call.

        A call that an exception ended is left out. Raises TraceError when nothing was traced, or when the model's
        attention was not finite.
        """
        if not self._finished:
            raise TraceError(
                "nothing was traced: call the pipeline within the `with trace(...)` block, to its end, with at least "
                f"one of the steps asked for (steps={self._choice.steps})"
            )
        if not all(np.isfinite(maps.tokens).all() for maps in self._finished):
            raise TraceError("attention was not finite: the model overflows; load it in bfloat16 or float32")
        return list(self._finished)

    def _beginning(self, encode_prompt: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(encode_prompt)

        @wraps(encode_prompt)
        def encode(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            call = Call(self._family.request(self._pipeline, bound.arguments), self._choice)
            encoded = encode_prompt(*args, **kwargs)
            self._call = call
            return encoded

        return encode

    def _ending(self, free_hooks: Callable[[], Any]) -> Callable[[], Any]:
        @wraps(free_hooks)
        def free() -> Any:
            freed = free_hooks()
            if self._call is not None:
                self._finished += self._call.heat_maps()
            self._call = None
            return freed

        return free

    def _step(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._call is not None:
            sample = args[0] if args else kwargs["sample"]
            self._call.step(tuple(sample.shape[-2:]))

    def _record(self, layer: str, attended: Attended) -> None:
        if self._call is not None:
            self._call.record(layer, attended)


@contextmanager
def _replaced(target: Any, name: str, wrap: Callable[[Any], Any]) -> Iterator[None]:
    """Shadow the method ``name`` of one object; on exit the object is as before."""
    before = vars(target).get(name)
    setattr(target, name, wrap(getattr(target, name)))
    try:
        yield
    finally:
        if before is None:
            delattr(target, name)
        else:
            setattr(target, name, before)
