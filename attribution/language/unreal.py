"""Unreal-Gen: captions whose nouns are swapped for random other nouns of the corpus, all else kept.

The paper (Tang et al., ACL 2023, section 3.1) says no more than that the nouns are swapped at random. Here a noun in
the singular becomes one in the singular and a plural one a plural one (a form is plural where it differs from its
lemma); all distinct forms of the corpus are equally likely; a noun that a caption repeats is swapped for the same one
each time; an ``a`` or ``an`` right before follows the new noun, and a capital stays a capital. Names (PROPN) stay.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from attribution.errors import SamplingError
from attribution.language.articles import article
from attribution.records import Prompt, Word


@dataclass(frozen=True, slots=True)
class Nouns:
    """The distinct nouns of a corpus as (form, lemma), lower case, in alphabetical order, by number."""

    singular: tuple[tuple[str, str], ...]
    plural: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, prompts: Iterable[Prompt], at_least: int = 1) -> Nouns:
        """The nouns of ``prompts`` in letters (and hyphens) only, said ``at_least`` so often.

        A form counts as a noun where most of its occurrences are tagged so: what a parser mistakes at times stays out.
        """
        nouns: Counter[tuple[str, str]] = Counter()
        forms: Counter[str] = Counter()
        for word in (word for prompt in prompts for word in prompt.words if word.text.replace("-", "").isalpha()):
            forms[word.text.lower()] += 1
            if word.tag == "NOUN":
                nouns[word.text.lower(), word.lemma.lower()] += 1
        often = sorted(noun for noun, n in nouns.items() if n >= at_least and 2 * n > forms[noun[0]])
        return cls(tuple(one for one in often if one[0] == one[1]), tuple(one for one in often if one[0] != one[1]))


@dataclass(frozen=True, slots=True)
class Swapped:
    """A caption of the set: ``prompt`` with its words, made from ``original``; ``swaps`` are (old, new) in order."""

    prompt: Prompt
    original: str
    swaps: tuple[tuple[str, str], ...]


def is_plural(word: Word) -> bool:
    """Whether a noun's form differs from its lemma."""
    return word.text.lower() != word.lemma.lower()


def choose(prompts: Iterable[Prompt], count: int, seed: int) -> list[Prompt]:
    """COCO-Gen: ``count`` distinct captions that have a noun, at random, in the order of the corpus.

    Raises SamplingError when there are fewer.
    """
    first: dict[str, Prompt] = {}
    for prompt in prompts:
        if any(word.tag == "NOUN" for word in prompt.words):
            first.setdefault(prompt.text, prompt)
    candidates = list(first.values())
    if len(candidates) < count:
        raise SamplingError(
            f"asked for {count} captions with a noun; the corpus holds {len(candidates)}: ask for fewer"
        )
    rng = random.Random(seed)  # noqa: S311 - a reproducible sample, no secret
    return [candidates[at] for at in sorted(rng.sample(range(len(candidates)), count))]


def unreal(prompts: Iterable[Prompt], nouns: Nouns, seed: int) -> Iterator[Swapped]:
    """Unreal-Gen: each caption with its nouns swapped; a caption's swaps depend on it and the seed alone.

    Raises SamplingError when the corpus has no other noun of a number.
    """
    for prompt in prompts:
        rng = random.Random(f"{seed} {prompt.text}")  # noqa: S311
        yield _swapped(prompt, nouns, rng)


def _swapped(prompt: Prompt, nouns: Nouns, rng: random.Random) -> Swapped:
    chosen: dict[str, tuple[str, str]] = {}
    texts, words = [], []
    for word in prompt.words:
        form = word.text.lower()
        if word.tag == "NOUN" and form not in chosen:
            chosen[form] = _other(word, nouns, rng)
        new, lemma = chosen[form] if word.tag == "NOUN" else (word.text, word.lemma)
        texts.append(_like(new, word.text) if word.tag == "NOUN" else new)
        words.append(replace(word, text=texts[-1], lemma=lemma))
    for at, word in enumerate(prompt.words[1:]):
        if word.tag == "NOUN" and texts[at].lower() in ("a", "an"):
            texts[at] = _like(article(texts[at + 1]), texts[at])
    swaps = tuple((old.text, new) for old, new in zip(prompt.words, texts, strict=True) if old.tag == "NOUN")
    return Swapped(_joined(prompt, words, texts), prompt.text, swaps)


def _other(word: Word, nouns: Nouns, rng: random.Random) -> tuple[str, str]:
    """A noun of the word's number with another lemma."""
    pool = nouns.plural if is_plural(word) else nouns.singular
    others = [noun for noun in pool if noun[1] != word.lemma.lower() and noun[0] != word.text.lower()]
    if not others:
        number = "plural" if is_plural(word) else "singular"
        raise SamplingError(f"the corpus has no other {number} noun than {word.text!r}: give more captions")
    return rng.choice(others)


def _like(new: str, old: str) -> str:
    """``new`` with the capitals of ``old``: all, the first, or none."""
    if len(old) > 1 and old.isupper():
        return new.upper()
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def _joined(prompt: Prompt, words: list[Word], texts: list[str]) -> Prompt:
    """The caption with ``texts`` in place of its words, what stands between them kept, and offsets that fit."""
    pieces, placed, at, length = [], [], 0, 0
    for old, new, text in zip(prompt.words, words, texts, strict=True):
        between = prompt.text[at : old.start]
        start = length + len(between)
        pieces += [between, text]
        placed.append(replace(new, text=text, start=start, end=start + len(text)))
        at, length = old.end, start + len(text)
    return Prompt("".join(pieces) + prompt.text[at:], tuple(placed), prompt.source_id)
