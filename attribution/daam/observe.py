"""Attention layers under observation: their processors replaced for a while, and put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from attribution.daam.attention import Attended, AttentionProbe
from attribution.daam.exchange import AttentionExchange, Exchange
from attribution.errors import TraceError

Listener = Callable[[str, Attended], None]


@contextmanager
def observed(
    layers: Mapping[str, Any], traceable: frozenset[str], listener: Listener, exchange: Exchange | None = None
) -> Iterator[None]:
    """Show the attention of ``layers`` (by name) to ``listener``; on exit the very same processors are back.

    ``exchange`` may give an attention call other queries and keys, which is then what listeners see.

    Raises TraceError, naming the layer, when a processor's class is not among the ``traceable`` ones.
    """
    replacements = {
        name: _observer(name, attention, traceable, listener, exchange) for name, attention in layers.items()
    }
    with ExitStack() as exits:
        for name, attention in layers.items():
            exits.callback(attention.set_processor, attention.processor)
            attention.set_processor(replacements[name])
        yield


class _ObservedProcessor:
    """An attention processor that shows its attention to listeners and leaves the work to the original."""

    def __init__(self, original: Any, layer: str, listeners: tuple[Listener, ...], exchange: Exchange | None) -> None:
        self.original = original
        self.listeners = listeners
        self.exchange = exchange
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
        with AttentionProbe(self._show) as probe, self._exchanged():
            output = self.original(attn, hidden_states, encoder_hidden_states, attention_mask, temb, *args, **kwargs)
        if probe.calls != 1:
            raise TraceError(
                f"layer {self._layer!r} made {probe.calls} calls of scaled_dot_product_attention where one was "
                "expected: give the model diffusers' native attention backend and its own processors"
            )
        return output

    def _exchanged(self) -> AbstractContextManager[Any]:
        return nullcontext() if self.exchange is None else AttentionExchange(self._layer, self.exchange)

    def _show(self, attended: Attended) -> None:
        for listener in self.listeners:
            listener(self._layer, attended)


def _observer(
    name: str, attention: Any, traceable: frozenset[str], listener: Listener, exchange: Exchange | None
) -> _ObservedProcessor:
    processor = attention.processor
    if isinstance(processor, _ObservedProcessor):
        listeners = (*processor.listeners, listener)
        return _ObservedProcessor(processor.original, name, listeners, exchange or processor.exchange)
    if type(processor).__name__ not in traceable:
        raise TraceError(
            f"layer {name!r} attends with {type(processor).__name__}, which cannot be traced; unload IP-adapters, and "
            f"undo slicing or xFormers by setting one of these processors: {', '.join(sorted(traceable))}"
        )
    return _ObservedProcessor(processor, name, (listener,), exchange)
