"""Prompts of two nouns for presence studies: half of them cohyponyms, half from different groups."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

from attribution.tinyworld.grammar import Caption, phrase_caption
from attribution.tinyworld.lexicon import GROUPS


@dataclass(frozen=True, slots=True)
class PresencePrompt:
    """``a X and a Y``: ``nouns`` are (text, start, end) in reading order, ``caption`` the grammar's own record."""

    text: str
    nouns: tuple[tuple[str, int, int], tuple[str, int, int]]
    condition: Literal["cohyponyms", "non-cohyponyms"]
    caption: Caption


def presence_prompts(count: int, seed: int) -> list[PresencePrompt]:
    """``count`` prompts, conditions alternating; each condition's ordered pairs repeat only once all were used."""
    rng = random.Random(seed)  # noqa: S311
    pools = _pairs()
    decks: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
    prompts = []
    for index in range(count):
        alike = index % 2 == 0
        if not decks[alike]:
            decks[alike] = rng.sample(pools[alike], len(pools[alike]))
        prompts.append(_prompt(decks[alike].pop(), alike))
    return prompts


def _pairs() -> dict[bool, list[tuple[str, str]]]:
    """Ordered pairs of different grouped nouns, by whether they share a group."""
    group = {noun: name for name, nouns in GROUPS.items() for noun in nouns}
    pairs = list(permutations(group, 2))
    return {alike: [pair for pair in pairs if (group[pair[0]] == group[pair[1]]) is alike] for alike in (True, False)}


def _prompt(pair: tuple[str, str], alike: bool) -> PresencePrompt:
    caption = phrase_caption(pair)
    first, second = ((word.text, word.start, word.end) for word in caption.words if word.tag == "NOUN")
    return PresencePrompt(caption.text, (first, second), "cohyponyms" if alike else "non-cohyponyms", caption)
