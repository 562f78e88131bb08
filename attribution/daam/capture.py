"""Tracing: record what every word of a prompt was attended to by, while a pipeline draws.

Source: Tang et al., "What the DAAM: Interpreting Stable Diffusion Using Cross Attention", ACL 2023, section 2.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from types import TracebackType
from typing import Any

import numpy as np
import torch

from attribution.daam.attention import Attended, AttentionProbe
from attribution.daam.families import Family, Request, family_of
from attribution.daam.sums import MapSums
from attribution.daam.words import Words, kept_positions
from attribution.errors import TraceError
from attribution.maps.heat_maps import HeatMaps

Listener = Callable[[str, Attended], None]


def trace(pipeline: Any, words: Words | None = None) -> Tracer:
    """Record heat maps of every call of ``pipeline`` within a ``with`` block.

    ::

        with attribution.trace(pipeline) as tracer:
            pipeline(["a dog chasing a red ball"])
        dog = tracer.heat_maps()[0].word("dog")

    ``words`` keeps only some words' maps, for less memory and time: one list for all prompts or one a prompt, of
    texts (every occurrence) or (start, end) offsets. The pipeline draws the same images as without, and gets its
    attention processors back on every exit. Raises TraceError for a pipeline or an attention processor that
    cannot be traced; a call of the pipeline raises WordError when ``words`` do not fit its prompts.
    """
    return Tracer(pipeline, words)


class Tracer:
    """A pipeline under observation; made by :func:`trace`. May be entered again after its exit, and nested."""

    def __init__(self, pipeline: Any, words: Words | None = None) -> None:
        self._pipeline = pipeline
        self._family = family_of(pipeline)
        self._words = words
        self._call: _Call | None = None
        self._finished: list[HeatMaps] = []
        self._exits: ExitStack | None = None

    def __enter__(self) -> Tracer:
        if self._exits is not None:
            raise TraceError("this tracer is already entered; make another one with attribution.trace(pipeline)")
        with ExitStack() as exits:
            exits.enter_context(_observed(self._pipeline, self._family, self._record))
            denoiser = getattr(self._pipeline, self._family.denoiser)
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
            raise TraceError("nothing was traced: call the pipeline within the `with trace(...)` block, to its end")
        if not all(np.isfinite(maps.tokens).all() for maps in self._finished):
            raise TraceError("attention was not finite: the model overflows; load it in bfloat16 or float32")
        return list(self._finished)

    def _beginning(self, encode_prompt: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(encode_prompt)

        @wraps(encode_prompt)
        def encode(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            call = _Call(self._family.request(self._pipeline, bound.arguments), self._words)
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


class _Call:
    """One call of the pipeline, from its prompt to its images."""

    def __init__(self, request: Request, words: Words | None) -> None:
        self._request = request
        self._kept = None if words is None else kept_positions(request.alignments, words)
        self._chosen = None if self._kept is None else _padded(self._kept, request.images_per_prompt)
        self._sums: MapSums | None = None
        self._steps = 0
        self._layers: set[str] = set()

    def step(self, grid: tuple[int, int]) -> None:
        """The denoiser is about to run on latents of this height and width."""
        self._sums = self._sums or MapSums(grid)
        self._steps += 1

    @torch.no_grad()
    def record(self, layer: str, attended: Attended) -> None:
        """Add one layer's attention of the current step."""
        if self._sums is None:
            return
        wanted = attended.rows(self._request.conditional(len(attended.query)))
        chosen = None if self._chosen is None else self._chosen.to(attended.key.device)
        self._sums.add(layer, wanted.probabilities(chosen))
        self._layers.add(layer)

    def heat_maps(self) -> Iterator[HeatMaps]:
        """The maps of the call's images; none where the denoiser never ran."""
        if self._sums is None or not self._layers:
            return
        for image, means in enumerate(self._sums.means().cpu().numpy()):
            prompt = image // self._request.images_per_prompt
            kept = tuple(range(len(means))) if self._kept is None else self._kept[prompt]
            alignment = self._request.alignments[prompt]
            yield HeatMaps(means[: len(kept)].copy(), alignment, kept, self._steps, len(self._layers))


class _ObservedProcessor:
    """An attention processor that shows its attention to listeners and leaves the work to the original."""

    def __init__(self, original: Any, layer: str, listeners: tuple[Listener, ...]) -> None:
        self.original = original
        self.listeners = listeners
        self._layer = layer

    # diffusers passes a processor only those arguments that its signature names.
    def __call__(
        self,
        attn: Any,
        hidden_states: Any,
        encoder_hidden_states: Any = None,
        attention_mask: Any = None,
        temb: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        with AttentionProbe(self._show):
            return self.original(attn, hidden_states, encoder_hidden_states, attention_mask, temb, *args, **kwargs)

    def _show(self, attended: Attended) -> None:
        for listener in self.listeners:
            listener(self._layer, attended)


@contextmanager
def _observed(pipeline: Any, family: Family, listener: Listener) -> Iterator[None]:
    """Show the attention of all layers to ``listener``; on exit the very same processors are back."""
    layers = family.layers(getattr(pipeline, family.denoiser))
    replacements = {name: _observer(name, attention, family, listener) for name, attention in layers.items()}
    if not layers:
        raise TraceError(f"the {family.denoiser} of {type(pipeline).__name__} has no attention to the prompt")
    with ExitStack() as exits:
        for name, attention in layers.items():
            exits.callback(attention.set_processor, attention.processor)
            attention.set_processor(replacements[name])
        yield


def _observer(name: str, attention: Any, family: Family, listener: Listener) -> _ObservedProcessor:
    processor = attention.processor
    if isinstance(processor, _ObservedProcessor):
        return _ObservedProcessor(processor.original, name, (*processor.listeners, listener))
    if type(processor).__name__ not in family.processors:
        raise TraceError(
            f"layer {name!r} attends with {type(processor).__name__}, which cannot be traced; trace before loading "
            "IP-adapters, or undo slicing and xFormers with pipeline.unet.set_attn_processor(AttnProcessor2_0())"
        )
    return _ObservedProcessor(processor, name, (listener,))


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


def _padded(kept: list[tuple[int, ...]], repeats: int) -> torch.Tensor:
    """Positions [images, n]; prompts with fewer than n repeat their last one, which is dropped in the end."""
    longest = max(map(len, kept))
    rows = [positions + positions[-1:] * (longest - len(positions)) for positions in kept]
    return torch.tensor(rows).repeat_interleave(repeats, dim=0)
