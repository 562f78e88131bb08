"""Sampling word-prompt pairs by part of speech (Tang et al., 2023, section 3.2).

The paper takes the 14 most common tags of its captions and 200 random word-prompt pairs of each. Here the tags are
those found most often, a pair is a word of a caption counted once however often the caption repeats it, and two
rules leave out what a small parser gets wrong most: capitals that name nothing, and prepositions for conjunctions.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from attribution.errors import SamplingError
from attribution.language.casing import casing
from attribution.records import Prompt, Word

NOT_TAGS = frozenset({"", "_", "SPACE"})
CASING_RULE = "not a capitalised name amid a normally cased sentence"
CONJUNCTION_RULE = "not a subordinating conjunction"
REPEAT_RULE = "repeated in its caption"

# The words of EWT's SCONJ that subordinate a finite clause and are no prepositions or relative pronouns beside.
# fmt: off
SUBORDINATORS = frozenset({
    "after", "albeit", "although", "as", "because", "before", "if", "lest", "once", "since", "than", "that", "though",
    "till", "unless", "until", "whereas", "whether", "while", "whilst",
})
# fmt: on
SENTENCE_END = frozenset(".!?:;")
OPENERS = frozenset("\"'([{\u201c\u2018")


@dataclass(frozen=True, slots=True)
class Pair:
    """A word of a prompt, drawn for its tag. ``index`` counts the prompt's words from 0."""

    prompt: Prompt
    index: int
    tag: str

    @property
    def word(self) -> Word:
        return self.prompt.words[self.index]


@dataclass(frozen=True, slots=True)
class TagRow:
    """What the captions hold of one tag.

    ``words`` counts occurrences before any rule, ``filtered`` how many each rule left out, ``candidates`` the distinct
    pairs that remain, ``distinct_words`` their distinct words (case aside), ``sampled`` the pairs drawn.
    """

    tag: str
    words: int
    candidates: int
    filtered: dict[str, int]
    distinct_words: int
    sampled: int


@dataclass(frozen=True, slots=True)
class Sample:
    """``pairs`` by tag, commonest tag first; ``table`` the tags asked for, ``left_out`` the rarer tags found."""

    pairs: tuple[Pair, ...]
    table: tuple[TagRow, ...]
    left_out: tuple[TagRow, ...] = ()


@dataclass(slots=True)
class _Found:
    """What was collected of one tag while reading the captions."""

    words: int = 0
    pairs: list[Pair] = field(default_factory=list)
    filtered: Counter[str] = field(default_factory=Counter)


def sample_pairs(
    prompts: Iterable[Prompt],
    *,
    per_tag: int,
    seed: int,
    tags: int = 14,
    cap_per_word: int | None = None,
    allow_fewer: bool = False,
) -> Sample:
    """Draw ``per_tag`` distinct pairs of each of the ``tags`` most common tags, the same ones for the same seed.

    ``cap_per_word`` bounds the pairs of one word (case aside) within a tag. A caption gives a second pair only when
    the captions not yet used do not suffice; rare tags choose first. The same text twice counts once.
    Raises :class:`SamplingError` with the counts when there are fewer tags or pairs, unless ``allow_fewer``.
    """
    found = _collect(prompts)
    ranked = sorted(found, key=lambda tag: (-found[tag].words, tag))
    wanted = ranked[:tags]
    drawn = _draw_all({tag: found[tag].pairs for tag in wanted}, per_tag, seed, cap_per_word)
    table = tuple(_row(tag, found[tag], len(drawn[tag])) for tag in wanted)
    if not allow_fewer:
        _refuse_fewer(table, tags, per_tag, cap_per_word)
    left_out = tuple(_row(tag, found[tag], 0) for tag in ranked[tags:])
    return Sample(tuple(pair for tag in wanted for pair in drawn[tag]), table, left_out)


def _collect(prompts: Iterable[Prompt]) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    texts: set[str] = set()
    for prompt in prompts:
        if prompt.text not in texts:
            texts.add(prompt.text)
            _collect_prompt(prompt, found)
    return found


def _collect_prompt(prompt: Prompt, found: dict[str, _Found]) -> None:
    seen: set[str] = set()
    for index, word in enumerate(prompt.words):
        if word.tag in NOT_TAGS:
            continue
        entry = found.setdefault(word.tag, _Found())
        entry.words += 1
        rule = broken_rule(prompt, index) or (REPEAT_RULE if word.text.casefold() in seen else "")
        if rule:
            entry.filtered[rule] += 1
        else:
            seen.add(word.text.casefold())
            entry.pairs.append(Pair(prompt, index, word.tag))


def broken_rule(prompt: Prompt, index: int) -> str:
    """The rule that keeps a word out of the sample, or ''."""
    word = prompt.words[index]
    if word.tag == "PROPN" and not _is_capitalised_name(prompt, index):
        return CASING_RULE
    if word.tag == "SCONJ" and word.text.casefold() not in SUBORDINATORS:
        return CONJUNCTION_RULE
    return ""


def _is_capitalised_name(prompt: Prompt, index: int) -> bool:
    return (
        prompt.words[index].text[:1].isupper()
        and not _opens_sentence(prompt.words, index)
        and casing(prompt.text) == "normal"
    )


def _opens_sentence(words: tuple[Word, ...], index: int) -> bool:
    """Whether only opening quotes and the like stand between the word and the start or a full stop before it."""
    before = index - 1
    while before >= 0 and words[before].text in OPENERS:
        before -= 1
    return before < 0 or words[before].text in SENTENCE_END


def _draw_all(
    candidates: dict[str, list[Pair]], per_tag: int, seed: int, cap_per_word: int | None
) -> dict[str, list[Pair]]:
    """Draw tag by tag, fewest candidates first, so that common tags leave rare ones their captions."""
    used: set[str] = set()
    drawn: dict[str, list[Pair]] = {}
    for tag in sorted(candidates, key=lambda name: (len(candidates[name]), name)):
        rng = random.Random(f"{seed} {tag}")  # noqa: S311 - a reproducible sample, no secret
        shuffled = rng.sample(candidates[tag], len(candidates[tag]))
        drawn[tag] = _draw(shuffled, per_tag, used, cap_per_word)
    return drawn


def _draw(shuffled: list[Pair], count: int, used: set[str], cap_per_word: int | None) -> list[Pair]:
    """Take pairs in order, those of captions in ``used`` last; the captions taken are added to ``used``."""
    per_word: Counter[str] = Counter()
    chosen: list[Pair] = []
    for pair in _fresh_first(shuffled, used):
        if len(chosen) == count:
            break
        key = pair.word.text.casefold()
        if cap_per_word is None or per_word[key] < cap_per_word:
            per_word[key] += 1
            used.add(pair.prompt.text)
            chosen.append(pair)
    return chosen


def _fresh_first(pairs: list[Pair], used: set[str]) -> Iterator[Pair]:
    """``used`` grows while this runs, so that two pairs of one fresh caption do not both come first."""
    later: list[Pair] = []
    for pair in pairs:
        if pair.prompt.text in used:
            later.append(pair)
        else:
            yield pair
    yield from later


def _row(tag: str, found: _Found, sampled: int) -> TagRow:
    distinct = len({pair.word.text.casefold() for pair in found.pairs})
    return TagRow(tag, found.words, len(found.pairs), dict(found.filtered), distinct, sampled)


def _refuse_fewer(table: tuple[TagRow, ...], tags: int, per_tag: int, cap_per_word: int | None) -> None:
    short = [row for row in table if row.sampled < per_tag]
    if not short and len(table) == tags:
        return
    counts = ", ".join(f"{row.tag} {row.sampled}" for row in table) or "none"
    cap = f" with at most {cap_per_word} of one word" if cap_per_word is not None else ""
    raise SamplingError(
        f"asked for {per_tag} pairs of {tags} tags{cap}; the captions hold {len(table)} tags: {counts}. "
        "Give more captions, ask for fewer, or take what there is with --allow-fewer"
    )
