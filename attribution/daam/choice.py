"""What to record of a pipeline's attention: which words, steps, layers and heads, and how exactly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from attribution.daam.words import Words
from attribution.errors import TraceError


@dataclass(frozen=True, slots=True)
class Choice:
    """The options of :func:`attribution.trace`; None stands for all."""

    words: Words | None = None
    exact: bool = True
    steps: Collection[int] | None = None
    layers: Sequence[str] | None = None
    heads: Collection[int] | None = None

    def layers_of(self, available: dict[str, Any], default: Sequence[str]) -> dict[str, Any]:
        """Those of the ``available`` layers whose names begin with one of the chosen (else the default) ones.

        Raises TraceError for a name that begins no layer's, and when no layer has any of the chosen heads.
        """
        wanted = default if self.layers is None else self.layers
        for name in wanted if self.layers is not None else ():
            if not any(_begins(layer, name) for layer in available):
                raise TraceError(f"layers= names {name!r}, which begins none of: {', '.join(available)}")
        chosen = {name: layer for name, layer in available.items() if any(_begins(name, some) for some in wanted)}
        if not any(self.heads_of(layer.heads) for layer in chosen.values()):
            raise TraceError(f"layers= and heads={self.heads} leave nothing to trace: no such layer has such a head")
        return chosen

    def heads_of(self, count: int) -> list[int]:
        """The chosen ones of a layer's ``count`` heads, ascending."""
        return [head for head in range(count) if self.heads is None or head in self.heads]

    def has_step(self, step: int) -> bool:
        """Whether the denoiser's call number ``step`` (from 0) is chosen."""
        return self.steps is None or step in self.steps


def _begins(layer: str, name: str) -> bool:
    """Whether the layer's name begins so, numbers whole: "blocks.1" does not begin "blocks.10"."""
    rest = layer[len(name) :]
    return layer.startswith(name) and not (name[-1:].isdigit() and rest[:1].isdigit())
