"""ConceptAttention: where in the picture each of some concepts is, by what joint attention puts out for it.

Source: Helbling et al., "ConceptAttention: Diffusion Transformers Learn Highly Interpretable Features", ICML 2025
(arXiv 2502.04320). Concepts go through the blocks beside the prompt, by the prompt's own weights, and attend to one
another and to the picture; nothing attends to them, so the picture stays as it is. In every block, the attention's
output at position x and its output for concept c, all heads side by side and before they are projected, give

    map_c(x) = softmax over c of (output_x . output_c)

and the maps are the mean over steps and blocks. As in the authors' program, a concept enters as the first token of its
own text embedding, the last four blocks count unless others are asked for, and in FLUX the concepts' stream is
modulated by a pooled prompt of zeros.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from attribution.daam.attention import Attended
from attribution.daam.choice import Choice
from attribution.daam.concept_call import ConceptCall
from attribution.daam.families import Request
from attribution.daam.observe import observed
from attribution.daam.watch import Watch
from attribution.daam.words import Words, one_list_a_prompt, spans_of
from attribution.errors import TraceError, WordError
from attribution.maps.alignment import Alignment, Token

_BLOCK = re.compile(r"transformer_blocks\.\d+")
_LAST = 4


def trace_concepts(
    pipeline: Any,
    words: Words | None = None,
    *,
    others: Sequence[str] = (),
    steps: Collection[int] | None = None,
    layers: Sequence[str] | None = None,
) -> ConceptTracer:
    """Record ConceptAttention's maps of every call of ``pipeline`` within a ``with`` block.

    The concepts are the prompt's words, or those of ``words`` (as in :func:`attribution.trace`), and ``others``, which
    need not stand in the prompt, such as "background". Every position is shared out among them: a map depends on
    which concepts it competes with, and there must be two of them. Equal texts are one concept.

    In the :class:`HeatMaps`, ``.tokens`` has one map a word, then one for each of ``others``; ``.words()`` and
    ``.word()`` find the words, and ``alignment.tokens[i].text`` names map i. Raises TraceError for a pipeline without
    joint attention, WordError from its call where the words do not fit.
    """
    return ConceptTracer(pipeline, words, others, Choice(steps=steps, layers=layers))


class ConceptTracer(Watch[ConceptCall]):
    """A pipeline under observation; made by :func:`trace_concepts`."""

    def __init__(self, pipeline: Any, words: Words | None, others: Sequence[str], choice: Choice) -> None:
        super().__init__(pipeline, choice.steps)
        if self.family.concepts is None:
            raise TraceError(
                f"ConceptAttention needs blocks in which picture and prompt attend to each other; "
                f"{type(pipeline).__name__} has none"
            )
        self._encode = self.family.concepts
        self._words, self._others, self._choice = words, tuple(others), choice
        self._blocks: dict[str, Any] = {}
        self._counted: frozenset[str] = frozenset()

    def observers(self) -> Iterator[AbstractContextManager[Any]]:
        """The attention of all blocks with a stream of text, and what modulates them."""
        named: Iterator[tuple[str, Any]] = self.denoiser.named_modules()
        self._blocks = {f"{name}.attn": block for name, block in named if _BLOCK.fullmatch(name)}
        layers = {name: block.attn for name, block in self._blocks.items()}
        self._counted = frozenset(self._choice.layers_of(layers, tuple(layers)[-_LAST:]))
        yield observed(layers, self.family.processors, self._attended)
        yield _after(self.denoiser.time_text_embed, self._modulated)

    def recording(self, request: Request) -> ConceptCall:
        """The call's concepts, encoded; see :class:`Watch`."""
        lists = self._concepts(request.alignments)
        texts = [list(dict.fromkeys(concept.text for concept in concepts)) for concepts in lists]
        embeddings = [self._encode(self.pipeline, some) for some in texts]
        return ConceptCall(request, self._choice, lists, embeddings)

    def _concepts(self, alignments: Sequence[Alignment]) -> list[tuple[Token, ...]]:
        lists = [None] * len(alignments) if self._words is None else one_list_a_prompt(self._words, len(alignments))
        found = []
        for alignment, wanted in zip(alignments, lists, strict=True):
            # Embeddings have no words; asked for none, other concepts will do.
            bare = wanted is None and alignment.prompt is None and self._others
            spans = [] if bare else alignment.words() if wanted is None else spans_of(alignment, wanted)
            words = [Token((alignment.prompt or "")[start:end], start, end) for start, end in spans]
            found.append((*words, *(Token(text, 0, 0, special=True) for text in self._others)))
            if len({concept.text for concept in found[-1]}) < 2:
                raise WordError(
                    f"ConceptAttention compares concepts, and the prompt {alignment.prompt!r} gives fewer than two: "
                    'name more words, or others=["background"]'
                )
        return found

    def _modulated(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        if self.call is not None:
            neutral = self.family.neutral_concepts
            modulation = module.forward(*args[:-1], torch.zeros_like(args[-1])) if neutral else output
            self.call.enter(self.denoiser.context_embedder, modulation)

    def _attended(self, layer: str, attended: Attended) -> None:
        if self.call is not None:
            self.call.add(self._blocks[layer], attended, counted=layer in self._counted)


@contextmanager
def _after(module: nn.Module, hook: Callable[[nn.Module, tuple[Any, ...], Tensor], None]) -> Iterator[None]:
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
