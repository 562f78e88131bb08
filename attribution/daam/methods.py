"""The ways to make a word's map, by name, for studies that compare them.

::

    with methods.observe("concept-attention", pipeline) as ours, methods.observe("uniform", pipeline) as control:
        pipeline(["a dog chasing a red ball"])
    dog, everywhere = ours.heat_maps()[0].word("dog"), control.heat_maps()[0].word("dog")

Every method watches the same call and changes nothing of it, and gives :class:`HeatMaps` with its name in ``method``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Any, Protocol, Self

from attribution.daam.capture import trace
from attribution.daam.concepts import trace_concepts
from attribution.daam.families import FAMILIES, Family, family_of
from attribution.daam.words import Words
from attribution.errors import TraceError
from attribution.maps import controls
from attribution.maps.heat_maps import HeatMaps
from attribution.maps.methods import SUMMARIES


class Observer(Protocol):
    """A pipeline under observation, in a ``with`` block."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def heat_maps(self) -> list[HeatMaps]:
        """The maps of all images made so far, in the order of calls and of images within a call."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way to make maps: ``start(pipeline, words, **options)`` observes, ``options`` names what it may be told.

    ``fits`` says of a family whether its pipelines can be observed so.
    """

    name: str
    start: Callable[..., Observer]
    options: frozenset[str] = frozenset()
    fits: Callable[[Family], bool] = lambda family: True

    @property
    def summary(self) -> str:
        """One line for people."""
        return SUMMARIES[self.name]


class _Control:
    """Maps of an ordinary trace, replaced by those of a control, which explain nothing."""

    def __init__(self, pipeline: Any, words: Words | None, control: Callable[[HeatMaps], HeatMaps]) -> None:
        self._tracer = trace(pipeline, words)
        self._control = control

    def __enter__(self) -> Self:
        self._tracer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._tracer.__exit__(kind, error, traceback)

    def heat_maps(self) -> list[HeatMaps]:
        """See :class:`Observer`; raises WordError where the control needs words that the prompt has not."""
        return [self._control(maps) for maps in self._tracer.heat_maps()]


def _other_word(pipeline: Any, words: Words | None, seed: int = 0) -> Observer:
    return _Control(pipeline, words, lambda maps: controls.of_other_words(maps, seed=seed))


def _blob(pipeline: Any, words: Words | None, spread: float = 0.2) -> Observer:
    return _Control(pipeline, words, lambda maps: controls.blobs(maps, spread))


def _uniform(pipeline: Any, words: Words | None) -> Observer:
    return _Control(pipeline, words, controls.uniforms)


_ALL = (
    Method("daam", trace, frozenset({"steps", "layers", "heads", "exact"})),
    Method(
        "concept-attention",
        trace_concepts,
        frozenset({"steps", "layers", "others"}),
        fits=lambda family: family.concepts is not None,
    ),
    Method("other-word", _other_word, frozenset({"seed"})),
    Method("blob", _blob, frozenset({"spread"})),
    Method("uniform", _uniform),
)

METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for method in _ALL})
"""All methods by name; "other-word", "blob" and "uniform" are controls."""


def observe(name: str, pipeline: Any, words: Words | None = None, **options: Any) -> Observer:
    """Observe ``pipeline`` by the method ``name``; ``words`` are as in :func:`attribution.trace`.

    ``options`` are the method's own: "steps", "layers", "heads" and "exact" restrict DAAM, "others" adds concepts that
    are not in the prompt, "seed" picks the other words, "spread" sizes the blob. Raises TraceError for an unknown
    method or option, and for one that does not fit the pipeline, naming what does.
    """
    if name not in METHODS:
        raise TraceError(f"no method {name!r}; choose from {', '.join(METHODS)}")
    method = METHODS[name]
    unknown = options.keys() - method.options
    if unknown:
        known = ", ".join(sorted(method.options)) or "none"
        raise TraceError(f"the method {name!r} has no option {', '.join(sorted(unknown))}; its options: {known}")
    family = family_of(pipeline)
    if not method.fits(family):
        fitting = ", ".join(other.name for other in FAMILIES if method.fits(other))
        raise TraceError(
            f"the method {name!r} does not fit {type(pipeline).__name__}, which is of the family {family.name!r}: it "
            f"fits {fitting}"
        )
    return method.start(pipeline, words, **options)
