"""Where a recording keeps each step's queries and keys: in memory, or in one safetensors file a step."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from attribution.errors import TraceError

Pair = tuple[Tensor, Tensor]


class MemoryStore:
    """All steps in main memory."""

    def __init__(self) -> None:
        self._steps: list[dict[str, Pair]] = []
        self._current: dict[str, Pair] = {}
        self.nbytes = 0

    def next_step(self) -> None:
        """Go on to a new step, for :meth:`put`."""
        self._current = {}
        self._steps.append(self._current)

    def put(self, layer: str, query: Tensor, key: Tensor) -> None:
        """Keep copies of one layer's query and key of the current step."""
        self._current[layer] = _copied(query), _copied(key)
        self.nbytes += _bytes(self._current[layer])

    def flush(self) -> None:
        """All steps are in."""

    def turn_to(self, step: int) -> None:
        """Turn to one step, for :meth:`get`."""
        self._current = self._steps[step]

    def get(self, layer: str) -> Pair:
        """One layer's query and key of the current step; raises TraceError when the layer was not recorded."""
        if layer not in self._current:
            raise _not_recorded(layer)
        return self._current[layer]

    def close(self) -> None:
        """Forget everything."""
        self._steps, self._current = [], {}


class FolderStore:
    """One file a step, in a folder of its own within ``folder``, which goes with the store.

    Memory holds the step that is being recorded, or the layer that is being replayed.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="recording-", dir=folder))
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._step = -1
        self._tensors: dict[str, Tensor] = {}
        self.nbytes = 0

    def next_step(self) -> None:
        """Write the step that is over, and go on to a new one, for :meth:`put`."""
        self.flush()
        self._step += 1

    def put(self, layer: str, query: Tensor, key: Tensor) -> None:
        """Keep copies of one layer's query and key of the current step."""
        pair = _copied(query), _copied(key)
        self._tensors |= {f"{layer}.query": pair[0], f"{layer}.key": pair[1]}
        self.nbytes += _bytes(pair)

    def flush(self) -> None:
        """Write the current step."""
        if self._tensors:
            save_file(self._tensors, self._path(self._step))
        self._tensors = {}

    def turn_to(self, step: int) -> None:
        """Turn to one step, for :meth:`get`."""
        self._step = step

    def get(self, layer: str) -> Pair:
        """One layer's query and key of the current step; raises TraceError when the layer was not recorded."""
        try:
            with safe_open(self._path(self._step), "pt") as file:
                if f"{layer}.query" not in file.keys():  # noqa: SIM118 (not a dictionary)
                    raise _not_recorded(layer)
                return file.get_tensor(f"{layer}.query"), file.get_tensor(f"{layer}.key")
        except OSError as error:
            raise TraceError(f"the recording's file {self._path(self._step)} cannot be read: {error}") from error

    def close(self) -> None:
        """Remove the files."""
        self._tensors = {}
        self._remove()

    def _path(self, step: int) -> Path:
        return self._folder / f"step-{step:04}.safetensors"


def _copied(tensor: Tensor) -> Tensor:
    """On the CPU, in one piece, sharing nothing."""
    return tensor.detach().to("cpu", copy=True).contiguous()


def _bytes(pair: Pair) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in pair)


def _not_recorded(layer: str) -> TraceError:
    return TraceError(f"layer {layer!r} was not recorded: replay with the model that was recorded")
