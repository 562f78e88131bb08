"""Which of the text encoder's positions to keep, when only some words are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import cast

from attribution.errors import WordNotInPrompt
from attribution.maps.alignment import Alignment, Span, occurrences

Wanted = str | Span
Words = Sequence[Wanted] | Sequence[Sequence[Wanted]]


def one_list_a_prompt(words: Words, prompts: int) -> list[Sequence[Wanted]]:
    """``words``, which is one list for all prompts or one list for each, as one list for each.

    Raises ValueError when there are lists for another number of prompts.
    """
    if all(map(_is_word, words)):
        return [cast("Sequence[Wanted]", words)] * prompts
    if len(words) != prompts:
        raise ValueError(f"words= has {len(words)} lists for {prompts} prompts")
    return cast("list[Sequence[Wanted]]", list(words))


def kept_positions(alignments: Sequence[Alignment], words: Words) -> list[tuple[int, ...]]:
    """For each prompt the ascending positions of the tokens of its wanted words.

    A word is its text, which stands for every occurrence, or its offsets. Raises WordNotInPrompt, WordPastTheCut,
    or ValueError when there is not one list a prompt.
    """
    lists = one_list_a_prompt(words, len(alignments))
    return [_positions(alignment, wanted) for alignment, wanted in zip(alignments, lists, strict=True)]


def spans_of(alignment: Alignment, wanted: Sequence[Wanted]) -> list[Span]:
    """The offsets of the wanted words, each once, in reading order; raises WordNotInPrompt or WordPastTheCut."""
    spans = sorted(set(chain.from_iterable(_spans(alignment, word) for word in wanted)))
    for span in spans:
        alignment.positions(*span)
    return spans


def _positions(alignment: Alignment, wanted: Sequence[Wanted]) -> tuple[int, ...]:
    found = sorted({position for span in spans_of(alignment, wanted) for position in alignment.positions(*span)})
    if not found:
        raise WordNotInPrompt(f"words= asks for no word of the prompt {alignment.prompt!r}: name one, or leave it out")
    return tuple(found)


def _spans(alignment: Alignment, word: Wanted) -> list[Span]:
    if not isinstance(word, str):
        return [(word[0], word[1])]
    return occurrences(alignment.prompt or "", word) or [alignment.find(word)]


def _is_word(item: object) -> bool:
    return isinstance(item, str) or (
        isinstance(item, Sequence) and len(item) == 2 and all(isinstance(offset, int) for offset in item)
    )
