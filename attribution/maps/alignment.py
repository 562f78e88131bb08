"""Words of a prompt and the text encoder's tokens, brought together by character offsets.

Neither side refines the other: "isn't" is two words to a tagger and two other pieces to CLIP, "!!!" is one token
and three words, a Chinese character may be two tokens with one span. So a word owns every token whose span
overlaps its own.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from attribution.errors import WordError, WordNotInPrompt, WordPastTheCut

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Token:
    """One input position of the text encoder.

    ``start`` and ``end`` are character offsets into the prompt, as written by its author. ``special`` marks what
    the encoder added: start, end and padding; its offsets mean nothing.
    """

    text: str
    start: int
    end: int
    special: bool = False


@dataclass(frozen=True, slots=True)
class Alignment:
    """A prompt, its tokens in the encoder's order, and where the encoder cut it off.

    ``prompt`` is None where a pipeline was given embeddings instead of text. ``cut`` is the offset of the first
    character that the encoder never saw, or None.
    """

    prompt: str | None
    tokens: tuple[Token, ...] = ()
    cut: int | None = None

    def find(self, text: str, occurrence: int = 1) -> Span:
        """Offsets of the ``occurrence``-th (from 1) place where ``text`` stands as a whole word, case and all.

        Raises WordNotInPrompt when it stands there fewer times.
        """
        prompt = self._text()
        places = occurrences(prompt, text)
        if not 1 <= occurrence <= len(places):
            raise WordNotInPrompt(
                f"no occurrence {occurrence} of the word {text!r} in the prompt {prompt!r}: it stands there as a whole "
                f"word, in this case, {len(places)} times (occurrences count from 1)"
            )
        return places[occurrence - 1]

    def positions(self, start: int, end: int) -> tuple[int, ...]:
        """Indices of the tokens that overlap ``prompt[start:end]``, ascending.

        Raises WordNotInPrompt for offsets outside of the prompt or over nothing but blanks, WordPastTheCut when
        the encoder did not see all of the word.
        """
        prompt = self._text()
        if not 0 <= start < end <= len(prompt):
            raise WordNotInPrompt(
                f"offsets {start}:{end} are not in the prompt {prompt!r}, which is {len(prompt)} long"
            )
        if self.cut is not None and end > self.cut:
            raise WordPastTheCut(
                f"the text encoder cut the prompt off at character {self.cut}, before the end of {prompt[start:end]!r} "
                f"({start}:{end}): the model never saw it; shorten the prompt {prompt!r}"
            )
        found = tuple(
            index
            for index, token in enumerate(self.tokens)
            if not token.special and token.start < end and start < token.end
        )
        if not found:
            raise WordNotInPrompt(f"no token of {prompt!r} covers {prompt[start:end]!r} ({start}:{end})")
        return found

    def words(self) -> list[Span]:
        """Offsets of the words that the encoder saw: runs of letters and digits, apostrophes and hyphens within."""
        spans = [match.span() for match in re.finditer(r"\w+(?:['\u2019-]\w+)*", self._text())]
        return [span for span in spans if self.cut is None or span[1] <= self.cut]

    def _text(self) -> str:
        if self.prompt is None:
            raise WordError(
                "this image was made from precomputed embeddings, so there is no prompt to find words in; "
                "read .tokens, or call the pipeline with text"
            )
        return self.prompt


def occurrences(prompt: str, text: str) -> list[Span]:
    """Where ``text`` stands in ``prompt`` as a whole word: ``na`` is not found inside ``naive``."""
    if not text.strip():
        return []
    places = (match.span() for match in re.finditer(re.escape(text), prompt))
    return [(start, end) for start, end in places if not (_joined(prompt, start) or _joined(prompt, end))]


def _joined(prompt: str, place: int) -> bool:
    """Whether the characters on both sides of ``place`` belong to one word (scripts without blanks never join)."""
    return 0 < place < len(prompt) and _binds(prompt[place - 1]) and _binds(prompt[place])


def _binds(character: str) -> bool:
    return (character.isalnum() or character == "_") and unicodedata.east_asian_width(character) not in "WF"
