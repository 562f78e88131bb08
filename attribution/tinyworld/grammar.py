"""Captions of the tiny world: plain English sentences that know what each of their words shows.

The caption decides the scene: which things, where, how large, on which ground. A seed moves and resizes them a little.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from attribution.tinyworld.lexicon import (
    COLOURS,
    GROUND_PHRASES,
    NAMES,
    NOUNS,
    NUMBERS,
    PLACES,
    VERBS,
)

Shows = Literal["object", "effect", "ground", "none"]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CaptionWord:
    """A word of a caption: offsets (``text[start:end]``), Universal POS tag, what it shows, and of which things."""

    text: str
    start: int
    end: int
    tag: str
    shows: Shows
    things: tuple[int, ...] = ()
    colour: bool = False


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of a scene; ``colour`` is '' for named bodies, ``verbs`` pairs a verb with its strength (0, 1, 2)."""

    noun: str
    colour: str
    size: str = ""
    verbs: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption, its words in order, and the scene that it describes. ``layout`` is a key of the scenes' layouts."""

    text: str
    words: tuple[CaptionWord, ...]
    things: tuple[Thing, ...]
    ground: str
    layout: str


@dataclass(slots=True)
class _Draft:
    """A sentence in the making: pieces are (text, tag, shows, things, names a colour)."""

    rng: random.Random
    crowded: bool
    pieces: list[tuple[str, str, Shows, tuple[int, ...], bool]] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    ground: str = "plain"
    layout: str = "auto"

    def say(
        self, text: str, tag: str, shows: Shows = "none", things: tuple[int, ...] = (), colour: bool = False
    ) -> None:
        self.pieces.append((text, tag, shows, things, colour))

    def caption(self) -> Caption:
        text, words = "", []
        for piece, tag, shows, things, colour in self.pieces:
            text += "" if not text or tag == "PUNCT" else " "
            piece = piece if text else piece[0].upper() + piece[1:]
            words.append(CaptionWord(piece, len(text), len(text) + len(piece), tag, shows, things, colour))
            text += piece
        layout = self.layout if self.layout != "auto" else ("centre", "row", "three")[len(self.things) - 1]
        return Caption(text, tuple(words), tuple(self.things), self.ground, layout)


def captions(count: int, seed: int, *, crowded: bool = True) -> list[Caption]:
    """``count`` captions drawn from the grammar, in order, the same for the same seed.

    ``crowded=False`` leaves out plurals and third things: the easier world in which training begins.
    """
    rng = random.Random(seed)  # noqa: S311 -- scenes, not secrets
    return [_draw(rng, crowded) for _ in range(count)]


def phrase_caption(nouns: tuple[str, str]) -> Caption:
    """The bare caption ``a X and a Y`` of two nouns, both in their own colours, side by side."""
    draft = _Draft(random.Random(0), crowded=False)  # noqa: S311
    for index, noun in enumerate(nouns):
        if index:
            draft.say("and", "CCONJ")
        draft.things.append(Thing(noun, NOUNS[noun][1]))
        draft.say("a", "DET")
        draft.say(noun, "NOUN", "object", (index,))
    caption = draft.caption()
    return Caption(caption.text[0].lower() + caption.text[1:], caption.words, caption.things, "plain", "row")


def _draw(rng: random.Random, crowded: bool) -> Caption:
    draft = _Draft(rng, crowded)
    forms, weights = zip(*_FORMS, strict=True)
    if rng.choices(forms, weights)[0](draft):
        draft.say(".", "PUNCT")
    return draft.caption()


def _noun_phrase(draft: _Draft, *, plural: bool = False, first: bool = True) -> tuple[int, ...]:
    """Say a noun phrase and add what it names; the new things' indices."""
    rng, start = draft.rng, len(draft.things)
    if not plural and rng.random() < 0.16:
        draft.things.append(Thing(rng.choice(NAMES), ""))
        draft.say(draft.things[-1].noun, "PROPN", "object", (start,))
        return (start,)
    count = rng.choice((2, 2, 3)) if plural and first else 2 if plural else 1
    noun, own, colour = rng.choice(list(NOUNS)), "", rng.choice(list(COLOURS))
    size = rng.choice(("small", "big")) if rng.random() < 0.2 else ""
    if rng.random() < 0.12:
        own = NOUNS[noun][1]
    indices = tuple(range(start, start + count))
    draft.things.extend(Thing(noun, own or colour, size) for _ in indices)
    words = [size] * bool(size) + [colour] * (not own) + [noun]
    if count == 1:
        draft.say("an" if words[0][0] in "aeiou" else "a", "DET")
    else:
        draft.say(NUMBERS[count], "NUM", "object", indices)
    if size:
        draft.say(size, "ADJ", "object", indices)
    if not own:
        draft.say(colour, "ADJ", "object", indices, colour=True)
    draft.say(NOUNS[noun][0] if count > 1 else noun, "NOUN", "object", indices)
    return indices


def _subject(draft: _Draft) -> tuple[int, ...]:
    """One thing, two joined by ``and``, or a plural where the world is crowded."""
    roll = draft.rng.random()
    if draft.crowded and roll < 0.22:
        return _noun_phrase(draft, plural=True)
    first = _noun_phrase(draft)
    if roll < 0.6:
        return first
    draft.say("and", "CCONJ")
    return first + _noun_phrase(draft, plural=draft.crowded and draft.rng.random() < 0.2, first=False)


def _act(draft: _Draft, things: tuple[int, ...], how: str = "", *, adverb: bool = True) -> None:
    """Say what ``things`` do, finite (''), as ``participle`` after a form of be, or as ``infinitive``, and show it."""
    rng = draft.rng
    taken = {verb for index in things for verb, _ in draft.things[index].verbs}
    # Nothing rests while it falls: of two verbs, one is always to glow.
    verb = rng.choice([verb for verb in VERBS if verb not in taken and (not taken or "glow" in (verb, *taken))])
    third, participle, adverbs = VERBS[verb]
    strength = rng.choice((1, 2)) if adverb and rng.random() < 0.45 else 0
    if how == "participle":
        draft.say("is" if len(things) == 1 else "are", "AUX")
    finite = third if len(things) == 1 else verb
    draft.say({"participle": participle, "infinitive": verb}.get(how, finite), "VERB", "effect", things)
    if strength:
        draft.say(adverbs[strength - 1], "ADV", "effect", things)
    for index in things:
        thing = draft.things[index]
        draft.things[index] = Thing(thing.noun, thing.colour, thing.size, (*thing.verbs, (verb, strength)))


def _say_all(draft: _Draft, words: Pairs) -> None:
    for text, tag in words:
        draft.say(text, tag)


def _say_ground(draft: _Draft, chance: float = 0.85) -> None:
    """Name a ground with this chance; it stays plain otherwise."""
    if draft.rng.random() >= chance:
        return
    draft.ground = draft.rng.choice(list(GROUND_PHRASES))
    phrase = draft.rng.choice(GROUND_PHRASES[draft.ground])
    _say_all(draft, phrase[:-1])
    draft.say(*phrase[-1], "ground")


def _act_somehow(draft: _Draft, things: tuple[int, ...]) -> None:
    roll = draft.rng.random()
    if roll < 0.45:
        _act(draft, things)
    elif roll < 0.8:
        _act(draft, things, "participle")
    else:
        start = draft.rng.choice(("seem", "begin"))
        draft.say(start + "s" * (len(things) == 1), "VERB")
        draft.say("to", "PART")
        _act(draft, things, "infinitive")


def _someone_acts(draft: _Draft) -> bool:
    """A red fish floats gently over the sand."""
    _act_somehow(draft, _subject(draft))
    _say_ground(draft)
    return True


def _there_is(draft: _Draft) -> bool:
    """There is a big blue star and a green fish on the grass."""
    draft.say("there", "PRON")
    at = len(draft.pieces)
    things = _subject(draft)
    plural = draft.pieces[at][1] == "NUM"
    draft.pieces.insert(at, ("are" if plural else "is", "VERB", "none", (), False))
    _say_ground(draft)
    return bool(things)


def _we_see(draft: _Draft) -> bool:
    """We can see Mars in the sky."""
    rng = draft.rng
    draft.say(rng.choice(("we", "you", "they")), "PRON")
    if rng.random() < 0.5:
        draft.say("can", "AUX")
    draft.say("see", "VERB")
    _subject(draft)
    _say_ground(draft)
    return True


def _while(draft: _Draft) -> bool:
    """A red star glows while a blue fish is resting on the sand."""
    _act_somehow(draft, _noun_phrase(draft))
    draft.say("while", "SCONJ")
    _act(draft, _noun_phrase(draft), draft.rng.choice(("", "participle")), adverb=False)
    _say_ground(draft)
    return True


def _and_it(draft: _Draft) -> bool:
    """A pink heart falls, and it glows softly at night."""
    things = _noun_phrase(draft)
    _act(draft, things, adverb=False)
    if draft.rng.random() < 0.5:
        draft.say(",", "PUNCT")
        draft.say("and", "CCONJ")
    else:
        draft.say("while", "SCONJ")
    draft.say("it", "PRON", "object", things)
    _act(draft, things, draft.rng.choice(("", "participle")))
    _say_ground(draft)
    return True


def _above(draft: _Draft) -> bool:
    """A small white moon is above a brown house on the grass."""
    _noun_phrase(draft)
    draft.say("is", "AUX")
    upper = draft.rng.random() < 0.5
    draft.say("above" if upper else "below", "ADP")
    _noun_phrase(draft)
    draft.layout = "first above" if upper else "first below"
    _say_ground(draft)
    return True


def _placed(draft: _Draft) -> bool:
    """A green tree is on the left."""
    things = _noun_phrase(draft)
    if draft.rng.random() < 0.5:
        draft.say("is", "AUX")
    else:
        _act(draft, things, draft.rng.choice(("", "participle")), adverb=False)
    draft.layout = draft.rng.choice(list(PLACES))
    _say_all(draft, PLACES[draft.layout][0])
    _say_ground(draft, 0.5)
    return True


def _phrase(draft: _Draft) -> bool:
    """A star and a moon, with or without a full stop."""
    _subject(draft)
    _say_ground(draft, 0.4)
    return draft.rng.random() < 0.3


_FORMS: Final[tuple[tuple[Callable[[_Draft], bool], float], ...]] = (
    (_someone_acts, 0.24),
    (_there_is, 0.11),
    (_we_see, 0.11),
    (_while, 0.1),
    (_and_it, 0.07),
    (_above, 0.1),
    (_placed, 0.15),
    (_phrase, 0.12),
)
