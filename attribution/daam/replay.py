"""Replay: one call's cross-attention, used again by a call with another prompt.

Where a layer's queries and keys are those of the recorded call, so are its attention probabilities, exactly, and only
the values are the new prompt's. Queries and keys are what a recording keeps: they take less room than the
probabilities, and replayed onto its own prompt, a recording gives the same image, bit for bit.

The rows that follow the prompt are replayed, in every cross-attention layer, the middle block's too. Those of the
unconditional half go on attending by themselves, as in prompt-to-prompt (Hertz et al. 2022), where the control
reaches the conditional half alone; ``Recording(unconditional=True)`` replays them as well, as the program of Tang et
al. (2023, section 5.2) does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any

from torch import Tensor

from attribution.daam.attention import Attended
from attribution.daam.exchange import Exchange
from attribution.daam.families import Request, Run
from attribution.daam.observe import observed
from attribution.daam.recording import Grid, Recording
from attribution.daam.watch import Watch
from attribution.errors import TraceError
from attribution.maps.heat_maps import HeatMaps


class Passage:
    """One call's way into a recording or out of it."""

    exchange: Exchange | None = None

    def __init__(self, request: Request, recording: Recording) -> None:
        self._request = request
        self._recording = recording
        self.timestep = 0.0

    def begin(self, run: Run | None) -> None:
        """The denoiser is about to run; see :class:`~attribution.daam.watch.Watch`."""
        if run is not None:
            self.step(run.grid)

    def step(self, grid: Grid) -> None:
        """The denoiser is about to run on latents of this height and width, at the timestep ``timestep``."""
        raise NotImplementedError

    def see(self, layer: str, attended: Attended) -> None:
        """One layer of the current step attended."""

    def finish(self) -> list[HeatMaps]:
        """The call reached its end; there are no maps."""
        raise NotImplementedError

    def _parts(self, rows: Tensor) -> Tensor:
        """Rows [parts * images, ...] as [parts, images, ...]."""
        return rows.view(-1, self._request.images, *rows.shape[1:])

    def _rows(self, rows: int) -> slice:
        """The rows that follow the prompt, in a denoiser batch of ``rows``; or all."""
        conditional = self._request.conditional(rows)
        return slice(0 if self._recording.unconditional else conditional.start, rows)


class Recorded(Passage):
    """A call that fills the recording."""

    def __init__(self, request: Request, recording: Recording) -> None:
        super().__init__(request, recording)
        recording.open(request.images)

    def step(self, grid: Grid) -> None:
        """See :class:`Passage`."""
        self._recording.grid = grid
        self._recording.timesteps.append(self.timestep)
        self._recording.store.next_step()

    def see(self, layer: str, attended: Attended) -> None:
        """See :class:`Passage`."""
        _refuse_mask(layer, attended.mask)
        rows = self._rows(len(attended.query))
        self._recording.store.put(layer, self._parts(attended.query[rows]), self._parts(attended.key[rows]))

    def finish(self) -> list[HeatMaps]:
        """See :class:`Passage`."""
        self._recording.store.flush()
        self._recording.complete = True
        return []


class Replayed(Passage):
    """A call that gets its attention from the recording."""

    def __init__(self, request: Request, recording: Recording) -> None:
        super().__init__(request, recording)
        self._step = -1
        self.exchange = self._exchange
        if not recording.complete:
            raise TraceError(
                "nothing is recorded that could be replayed: first call the pipeline, to its end, within "
                "`with attribution.trace(pipeline, record=recording)`"
            )
        if recording.images not in (1, request.images):
            raise TraceError(
                f"this call draws {request.images} images, recorded were {recording.images}: draw as many, "
                "or record one"
            )

    def step(self, grid: Grid) -> None:
        """See :class:`Passage`."""
        self._step += 1
        recorded = self._recording
        if grid != recorded.grid:
            raise TraceError(
                f"latents of {_by(grid)}, recorded were {_by(recorded.grid)}: give both calls the same height and width"
            )
        if self._step >= len(recorded.timesteps) or self.timestep != recorded.timesteps[self._step]:
            raise self._other_steps(f"step {self._step} is at timestep {self.timestep:g}")
        recorded.store.turn_to(self._step)

    def finish(self) -> list[HeatMaps]:
        """See :class:`Passage`; raises TraceError when the call was shorter than the recorded one."""
        if self._step + 1 != len(self._recording.timesteps):
            raise self._other_steps(f"this call had {self._step + 1} steps")
        return []

    def _other_steps(self, found: str) -> TraceError:
        timesteps = ", ".join(f"{timestep:g}" for timestep in self._recording.timesteps)
        return TraceError(
            f"{found}, recorded were {len(self._recording.timesteps)} steps at timesteps {timesteps}: give both calls "
            "the same num_inference_steps and scheduler"
        )

    def _exchange(self, layer: str, query: Tensor, key: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        _refuse_mask(layer, mask)
        recorded_query, recorded_key = self._recording.store.get(layer)
        return (
            self._inserted(f"queries of layer {layer!r}", query, recorded_query),
            self._inserted(f"keys of layer {layer!r}", key, recorded_key),
        )

    def _inserted(self, what: str, now: Tensor, recorded: Tensor) -> Tensor:
        """A copy of ``now`` [rows, heads, positions, size], of the same layout, with the recorded rows in it."""
        rows = self._rows(len(now))
        wanted = self._parts(now[rows])
        found, expected = ((len(tensor), *tensor.shape[2:]) for tensor in (wanted, recorded))
        if found != expected:
            raise TraceError(
                f"the {what} are {found}, recorded were {expected} (parts of the batch, heads, positions or tokens, "
                "size): use the same model, guidance and number of tokens"
            )
        copy = now.clone()
        copy[rows] = recorded.to(now.device, now.dtype).expand_as(wanted).flatten(0, 1)
        return copy


class Carrier(Watch[Passage]):
    """Carries attention between a recording and a pipeline's calls: the one that follows, or each that follows."""

    def __init__(self, pipeline: Any, recording: Recording, passage: type[Passage]) -> None:
        super().__init__(pipeline)
        self._recording = recording
        self._passage = passage
        self._timestep = 0.0

    def recording(self, request: Request) -> Passage:
        """The call's passage; raises TraceError when the recording does not fit the call."""
        return self._passage(request, self._recording)

    def observers(self) -> Iterator[AbstractContextManager[Any]]:
        """The denoiser's timesteps and all its cross-attention layers; TraceError names one of another kind."""
        layers = self.family.layers(self.denoiser)
        _refuse_joint_attention(layers)
        yield _before(self.denoiser, self._note_timestep)
        yield observed(layers, self.family.processors, self._see, self._exchange)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(self.call, Recorded):
            self._recording.close()
        super().__exit__(kind, error, traceback)

    def _note_timestep(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.call is not None:
            self.call.timestep = float(kwargs["timestep"] if "timestep" in kwargs else args[1])

    def _see(self, layer: str, attended: Attended) -> None:
        if self.call is not None:
            self.call.see(layer, attended)

    def _exchange(self, layer: str, query: Tensor, key: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        if self.call is None or self.call.exchange is None:
            return query, key
        return self.call.exchange(layer, query, key, mask)


def carrier(pipeline: Any, record: Recording | None, replay: Recording | None) -> Carrier | None:
    """What :func:`attribution.trace` was asked for; raises ValueError when it is both."""
    if record is not None and replay is not None:
        raise ValueError("trace() either records or replays: leave out record= or replay=")
    if record is not None:
        return Carrier(pipeline, record, Recorded)
    return None if replay is None else Carrier(pipeline, replay, Replayed)


@contextmanager
def _before(denoiser: Any, hook: Any) -> Iterator[None]:
    handle = denoiser.register_forward_pre_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def _refuse_joint_attention(layers: Mapping[str, Any]) -> None:
    for name, layer in layers.items():
        if not getattr(layer, "is_cross_attention", False):
            raise TraceError(
                f"layer {name!r} attends to image and prompt together, which cannot be replayed: record= and replay= "
                "work with the U-Nets of Stable Diffusion 1.x, 2.x and XL"
            )


def _refuse_mask(layer: str, mask: Tensor | None) -> None:
    if mask is not None:
        raise TraceError(f"layer {layer!r} attends with a mask, which a recording does not keep: call without one")


def _by(grid: Grid) -> str:
    return f"{grid[0]} x {grid[1]}"
