"""Attention layers under observation: their processors replaced for a while, and put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from attribution.daam.attention import Attended, AttentionProbe
from attribution.errors import TraceError

Listener = Callable[[str, Attended], None]


@contextmanager
def observed(layers: Mapping[str, Any], traceable: frozenset[str], listener: Listener) -> Iterator[None]:
    """Show the attention of ``layers`` (by name) to ``listener``; on exit the very same processors are back.

    Raises TraceError, naming the layer, when a processor's class is not among the ``traceable`` ones.
    """
    replacements = {name: _observer(name, attention, traceable, listener) for name, attention in layers.items()}
    with ExitStack() as exits:
        for name, attention in layers.items():
            exits.callback(attention.set_processor, attention.processor)
            attention.set_processor(replacements[name])
        yield


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


def _observer(name: str, attention: Any, traceable: frozenset[str], listener: Listener) -> _ObservedProcessor:
    processor = attention.processor
    if isinstance(processor, _ObservedProcessor):
        return _ObservedProcessor(processor.original, name, (*processor.listeners, listener))
    if type(processor).__name__ not in traceable:
        raise TraceError(
            f"layer {name!r} attends with {type(processor).__name__}, which cannot be traced; unload IP-adapters, and "
            f"undo slicing or xFormers by setting one of these processors: {', '.join(sorted(traceable))}"
        )
    return _ObservedProcessor(processor, name, (listener,))
