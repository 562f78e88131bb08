"""Turning treebank sentences into what captions look like: noun phrases alone, and careless capitals."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from attribution.language.conllu import GoldWord, Paragraph, Sentence

NOMINAL_RELATIONS = frozenset({"nsubj", "obj", "obl", "nmod", "root", "conj", "appos", "nsubj:pass", "parataxis"})
# What ties a phrase to its sentence, and so does not belong to the phrase standing alone.
OUTER_RELATIONS = frozenset({"case", "mark", "cc", "punct", "cop", "advmod", "discourse", "nsubj", "aux", "parataxis"})
SHORTEST, LONGEST = 2, 16


def noun_phrases(sentence: Sentence) -> list[Sentence]:
    """Every noun's phrase that stands alone as a caption would, with the noun as its root.

    Only unbroken stretches of 2 to 16 words qualify; case markers and the like before them are cut off.
    """
    nouns = (
        index
        for index, word in enumerate(sentence)
        if word.tag == "NOUN" and (word.relation in NOMINAL_RELATIONS or word.relation.startswith("nmod"))
    )
    return [phrase for phrase in (_phrase(sentence, noun) for noun in nouns) if phrase]


def _phrase(sentence: Sentence, noun: int) -> Sentence | None:
    kept = sorted(_kept(sentence, noun))
    first, last = kept[0], kept[-1]
    if len(kept) != last - first + 1 or not SHORTEST <= len(kept) <= LONGEST:
        return None
    words = [replace(word, head=word.head - first) for word in sentence[first : last + 1]]
    words[noun - first] = replace(words[noun - first], head=noun - first, relation="root")
    words[-1] = replace(words[-1], space=True)
    return tuple(words)


def _kept(sentence: Sentence, noun: int) -> set[int]:
    """The noun and its descendants, without its own outer dependents and theirs."""
    children: dict[int, list[int]] = {}
    for index, word in enumerate(sentence):
        if word.head != index:
            children.setdefault(word.head, []).append(index)
    stack = [child for child in children.get(noun, ()) if sentence[child].relation not in OUTER_RELATIONS]
    kept = {noun}
    while stack:
        index = stack.pop()
        kept.add(index)
        stack.extend(children.get(index, ()))
    return kept


def with_full_stop(phrase: Sentence) -> Sentence:
    """The phrase with a full stop hung on its root, as most captions end."""
    root = next(index for index, word in enumerate(phrase) if word.head == index)
    closed = (*phrase[:-1], replace(phrase[-1], space=False))
    return (*closed, GoldWord(".", ".", "PUNCT", ".", root, "punct", space=True))


def with_initial(sentence: Sentence, *, capital: bool) -> Sentence:
    """The sentence with the first letter raised, or lowered where the first word is not all capitals."""
    first = sentence[0]
    if capital:
        form = first.form[0].upper() + first.form[1:]
    elif first.form == "I" or first.form[1:].lower() != first.form[1:]:
        form = first.form
    else:
        form = first.form.lower()
    return (replace(first, form=form), *sentence[1:]) if len(form) == len(first.form) else sentence


def lowered(sentence: Sentence) -> Sentence:
    """The sentence without a capital; tags stay, lemmas follow the forms."""
    return tuple(replace(word, form=word.form.lower(), lemma=word.lemma.lower()) for word in sentence)


def training_texts(paragraphs: list[Paragraph], rng: random.Random, *, careless: bool = True) -> Iterator[Paragraph]:
    """One epoch of texts in random order: paragraphs, lone sentences, noun phrases; if ``careless``, some uncapped."""
    texts = [text for paragraph in paragraphs for text in _texts(paragraph, rng)]
    rng.shuffle(texts)
    return (_recased(text, rng) if careless else text for text in texts)


def _texts(paragraph: Paragraph, rng: random.Random) -> Iterator[Paragraph]:
    if rng.random() < 0.6:
        yield paragraph
    else:
        yield from ((sentence,) for sentence in paragraph)
    for sentence in paragraph:
        phrases = noun_phrases(sentence)
        if phrases and rng.random() < 0.35:
            yield (_as_caption(rng.choice(phrases), rng),)


def _as_caption(phrase: Sentence, rng: random.Random) -> Sentence:
    phrase = with_initial(phrase, capital=rng.random() < 0.75)
    return with_full_stop(phrase) if rng.random() < 0.6 else phrase


def _recased(text: Paragraph, rng: random.Random) -> Paragraph:
    chance = rng.random()
    if chance < 0.08:
        return tuple(lowered(sentence) for sentence in text)
    if chance < 0.16:
        return tuple(with_initial(sentence, capital=False) for sentence in text)
    return text
