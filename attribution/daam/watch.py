"""Following a pipeline's calls: where one begins, which prompts it has, each run of its denoiser, where it ends.

A pipeline checks its inputs, encodes its prompts, runs the denoiser many times and frees its hooks. These methods
are shadowed on the one object while it is watched, and the object is as before on every exit.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import wraps
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
from torch import Tensor, nn

from attribution.daam.families import Request, Run, family_of
from attribution.errors import TraceError
from attribution.maps.heat_maps import HeatMaps


class WatchedCall(Protocol):
    """One call of a pipeline, and what is recorded of it."""

    def begin(self, run: Run | None) -> None:
        """The denoiser is about to run; None where that run does not follow the prompt."""

    def finish(self) -> list[HeatMaps]:
        """The maps of the call's images; none where nothing was recorded."""


R = TypeVar("R", bound=WatchedCall)


class Watch(Generic[R]):
    """A pipeline under observation, in a ``with`` block; may be entered again after its exit, and nested.

    Subclasses say what to record of a call (:meth:`recording`) and what to observe meanwhile (:meth:`observers`).
    """

    def __init__(self, pipeline: Any, steps: Collection[int] | None = None) -> None:
        self.pipeline = pipeline
        self._steps = steps
        self.family = family_of(pipeline)
        self.call: R | None = None
        self._negatives: list[Tensor] = []
        self._checked = False
        self._finished: list[HeatMaps] = []
        self._exits: ExitStack | None = None

    @property
    def denoiser(self) -> Any:
        """The pipeline's U-Net or transformer."""
        return getattr(self.pipeline, self.family.denoiser)

    def recording(self, request: Request) -> R:
        """What to record of a call that asks for this; raises WordError where its words do not fit the prompts."""
        raise NotImplementedError

    def observers(self) -> Iterator[AbstractContextManager[Any]]:
        """What is observed while the pipeline is watched; each is entered before the next one is asked for."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        if self._exits is not None:
            raise TraceError("this tracer is already entered; make another one with attribution.trace(pipeline)")
        with ExitStack() as exits:
            for observer in self.observers():
                exits.enter_context(observer)
            exits.callback(self.denoiser.register_forward_pre_hook(self._running, with_kwargs=True).remove)
            exits.enter_context(_replaced(self.pipeline, "check_inputs", self._checking))
            exits.enter_context(_replaced(self.pipeline, "encode_prompt", self._beginning))
            exits.enter_context(_replaced(self.pipeline, "maybe_free_model_hooks", self._ending))
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.call = None
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
                f"one of the steps asked for (steps={self._steps})"
            )
        if not all(np.isfinite(maps.tokens).all() for maps in self._finished):
            raise TraceError("attention was not finite: the model overflows; load it in bfloat16 or float32")
        return list(self._finished)

    def _checking(self, check_inputs: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(check_inputs)
        def check(*args: Any, **kwargs: Any) -> Any:
            self.call, self._checked = None, True
            return check_inputs(*args, **kwargs)

        return check

    def _beginning(self, encode_prompt: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(encode_prompt)

        @wraps(encode_prompt)
        def encode(*args: Any, **kwargs: Any) -> Any:
            if self._checked and self.call is not None:
                encoded = encode_prompt(*args, **kwargs)
                self._negatives.append(encoded[0])
                return encoded
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            call = self.recording(self.family.request(self.pipeline, bound.arguments))
            encoded = encode_prompt(*args, **kwargs)
            self.call, self._negatives = call, []
            return encoded

        return encode

    def _ending(self, free_hooks: Callable[[], Any]) -> Callable[[], Any]:
        @wraps(free_hooks)
        def free() -> Any:
            freed = free_hooks()
            if self.call is not None:
                self._finished += self.call.finish()
            self.call, self._checked, self._negatives = None, False, []
            return freed

        return free

    def _running(self, denoiser: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        if self.call is not None:
            arguments = {**dict(zip(_names(denoiser), args, strict=False)), **kwargs}
            self.call.begin(self.family.run(denoiser, arguments, self._negatives))


def _names(denoiser: nn.Module) -> list[str]:
    """The arguments of the denoiser's forward, in order, also where it is compiled."""
    kind: Any = type(getattr(denoiser, "_orig_mod", denoiser))
    return list(inspect.signature(kind.forward).parameters)[1:]


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
