"""Tracing: record what every word of a prompt was attended to by, while a pipeline draws.

Source: Tang et al., "What the DAAM: Interpreting Stable Diffusion Using Cross Attention", ACL 2023, section 2.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from attribution.daam.attention import Attended
from attribution.daam.call import Call
from attribution.daam.choice import Choice
from attribution.daam.families import Request
from attribution.daam.observe import observed
from attribution.daam.raw import RAW_LIMIT, RawSums, axes_of
from attribution.daam.recording import Recording
from attribution.daam.replay import Carrier, carrier
from attribution.daam.watch import Watch
from attribution.daam.words import Words
from attribution.errors import TraceError
from attribution.maps.raw import RawMaps


def trace(
    pipeline: Any,
    words: Words | None = None,
    *,
    exact: bool = True,
    steps: Collection[int] | None = None,
    layers: Sequence[str] | None = None,
    heads: Collection[int] | None = None,
    raw: Collection[str] = (),
    raw_limit: int = RAW_LIMIT,
    record: Recording | None = None,
    replay: Recording | None = None,
) -> Tracer:
    """Record heat maps of every call of ``pipeline`` within a ``with`` block.

    ::

        with attribution.trace(pipeline) as tracer:
            pipeline(["a dog chasing a red ball"])
        dog = tracer.heat_maps()[0].word("dog")

    ``words`` keeps only some words' maps, for less memory and time: one list for all prompts or one a prompt, of
    texts (every occurrence) or (start, end) offsets. ``steps`` are the denoiser's runs for the prompt to record,
    counted from 0; ``layers`` the beginnings of the names of the attention layers, such as "up_blocks.1" or
    "mid_block", by default the down- and up-sampling blocks of a U-Net as in the paper, and all blocks of a
    transformer; ``heads`` the indices of heads within each layer.
    ``exact=False`` sums the heads and layers of one resolution before it resizes and clamps: less memory, and up to
    7% of a map's peak beside the paper's definition.
    ``raw`` names axes, "steps", "layers", "heads", along which :meth:`Tracer.raw` gives the maps apart: the
    probabilities are then kept, at most ``raw_limit`` bytes of them.

    ``record`` keeps the cross-attention of the one call that follows, ``replay`` gives it to each call that follows, so
    that only the prompt's values change; the maps are then those of the recorded attention. See
    :class:`attribution.Recording`.

    Unless it replays, the pipeline draws the same images as without; it gets its attention processors back on every
    exit. Raises TraceError for a pipeline, a layer or a processor that cannot be traced; a call of the pipeline raises
    WordError when ``words`` do not fit its prompts.
    """
    choice = Choice(words, exact, steps, layers, heads)
    return Tracer(pipeline, choice, raw=raw, raw_limit=raw_limit, carrier=carrier(pipeline, record, replay))


class Tracer(Watch[Call]):
    """A pipeline under observation; made by :func:`trace`. May be entered again after its exit, and nested."""

    def __init__(
        self,
        pipeline: Any,
        choice: Choice,
        *,
        raw: Collection[str] = (),
        raw_limit: int = RAW_LIMIT,
        carrier: Carrier | None = None,
    ) -> None:
        super().__init__(pipeline, choice.steps)
        self._choice = choice
        self._carrier = carrier
        self._raw_axes = axes_of(raw)
        self._raw_limit = raw_limit
        self._raw: list[RawMaps] = []

    def observers(self) -> Iterator[AbstractContextManager[Any]]:
        """The chosen layers' attention."""
        layers = self._choice.layers_of(self.family.layers(self.denoiser), self.family.default_layers)
        yield observed(layers, self.family.processors, self._record)
        if self._carrier is not None:
            yield self._carrier

    def recording(self, request: Request) -> Call:
        """Sums of the chosen attention; see :class:`Watch`."""
        raw = RawSums(self._raw_axes, self._raw_limit) if self._raw_axes else None
        return Call(request, self._choice, raw, self._raw)

    def raw(self) -> list[RawMaps]:
        """The maps apart along the axes that ``raw=`` named, one an image, in the order of :meth:`heat_maps`.

        Their sum over these axes is that image's ``.tokens``. Raises TraceError when none were asked for.
        """
        if not self._raw_axes:
            raise TraceError('no raw maps were asked for: name their axes, as in trace(pipeline, raw=["layers"])')
        self.heat_maps()
        return list(self._raw)

    def _record(self, layer: str, attended: Attended) -> None:
        if self.call is not None:
            self.call.record(layer, attended)
