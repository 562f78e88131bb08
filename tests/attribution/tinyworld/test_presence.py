"""Prompts for presence studies."""

from __future__ import annotations

from collections import Counter

from attribution.tinyworld import presence_prompts
from attribution.tinyworld.lexicon import GROUPS


def group(noun: str) -> str:
    return next(name for name, nouns in GROUPS.items() if noun in nouns)


def test_half_of_the_prompts_are_cohyponyms_and_half_are_not():
    prompts = presence_prompts(40, 1)
    assert Counter(p.condition for p in prompts) == {"cohyponyms": 20, "non-cohyponyms": 20}
    for prompt in prompts:
        (first, *_), (second, *_) = prompt.nouns
        assert first != second
        assert (group(first) == group(second)) == (prompt.condition == "cohyponyms")


def test_texts_and_offsets():
    for prompt in presence_prompts(12, 2):
        (first, start, end), (second, later, last) = prompt.nouns
        assert prompt.text == f"a {first} and a {second}"
        assert prompt.text[start:end] == first
        assert prompt.text[later:last] == second


def test_no_pair_repeats_before_all_were_used():
    # 3 groups of 3 nouns: 18 ordered pairs within a group, 54 across; 36 prompts use the 18 once.
    alike = [p.text for p in presence_prompts(36, 3) if p.condition == "cohyponyms"]
    assert len(set(alike)) == 18
    assert len({p.text for p in presence_prompts(108, 3) if p.condition == "non-cohyponyms"}) == 54


def test_prompts_are_seeded():
    assert presence_prompts(10, 4) == presence_prompts(10, 4)
    assert presence_prompts(10, 4) != presence_prompts(10, 5)
