"""What the tracer needs to know about a family of pipelines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from attribution.errors import TraceError
from attribution.maps.alignment import Alignment


@dataclass(frozen=True, slots=True)
class Request:
    """What one call of a pipeline asks for.

    ``alignments`` has one entry a prompt, ``seconds`` those of the second prompts where the pipeline was given any;
    each prompt makes ``images_per_prompt`` images, next to one another. ``guided`` says whether an unconditional half
    goes before the conditional one in the denoiser's batch.
    """

    alignments: tuple[Alignment, ...]
    images_per_prompt: int
    guided: bool
    seconds: tuple[Alignment, ...] | None = None

    @property
    def images(self) -> int:
        """How many images the call makes."""
        return len(self.alignments) * self.images_per_prompt

    def conditional(self, rows: int) -> slice:
        """The rows that follow the prompt, in a denoiser batch of ``rows``; one an image, in order.

        The batch is [unconditional, conditional, perturbed], whichever of these the call has: guidance may be
        off, may be switched off half-way by a callback, and perturbed-attention guidance adds the third.
        Raises TraceError for any other number of rows.
        """
        parts, rest = divmod(rows, self.images)
        if rest or not 1 <= parts <= (3 if self.guided else 2):
            raise TraceError(f"a denoiser batch of {rows} for {self.images} images: which rows follow the prompt?")
        first = self.images if self.guided and parts > 1 else 0
        return slice(first, first + self.images)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the denoiser: where its attention calls keep the picture's positions, and the prompt's tokens.

    ``grid`` is the height and width of the finest positions; ``queries`` and ``keys`` are the picture's queries and
    the prompt's keys within a call, all of them in cross-attention, some in joint attention.
    """

    grid: tuple[int, int]
    queries: slice = field(default_factory=lambda: slice(None))
    keys: slice = field(default_factory=lambda: slice(None))


Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Family:
    """One family: pipeline class names and how to capture their attention to the prompt.

    ``denoiser`` names the pipeline's component, ``layers`` lists its attention modules over the prompt by name;
    those whose names begin with one of ``default_layers`` are traced unless others are asked for.
    ``processors`` are the attention processors that are known to make exactly one SDPA call with the prompt's
    tokens as keys. ``request`` reads a call of ``encode_prompt`` (its arguments by name). ``run`` reads a call of the
    denoiser (likewise) beside the embeddings that the pipeline encoded after the prompt's, as true guidance does;
    None where that run does not follow the prompt. ``concepts`` encodes texts, [n, size] the first token's embedding of
    each, in families whose joint attention ConceptAttention fits; where ``neutral_concepts``, their stream is modulated
    by a pooled prompt of zeros.
    """

    name: str
    pipelines: frozenset[str]
    denoiser: str
    processors: frozenset[str]
    layers: Callable[[nn.Module], dict[str, Any]]
    default_layers: tuple[str, ...]
    request: Callable[[Any, Arguments], Request]
    run: Callable[[nn.Module, Arguments, list[Tensor]], Run | None]
    concepts: Callable[[Any, list[str]], Tensor] | None = None
    neutral_concepts: bool = False
