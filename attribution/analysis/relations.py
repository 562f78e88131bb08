"""Which pairs of a prompt's words the visuosyntactic analysis compares: by relation, unrelated, coreferent.

Head-dependent pairs are those of the dependency tree. The label of a relation follows one of three conventions:

``enhanced`` (the default, as CoreNLP's enhanced dependencies, which the paper names): ``nmod`` and ``obl`` take the
    lemmas of their ``case`` children (``nmod:of``, ``nmod:next_to``), ``conj`` the lemma of the coordination's ``cc``
    (``conj:and``, for every conjunct before it too); the parser's own subtypes (``nmod:poss``, ``acl:relcl``) stay.
``parser``: labels as the parser gave them. ``merged``: labels without any subtype.

Coreference has a rule, not a resolver: see :func:`antecedent`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from attribution.records import Word

Convention = Literal["enhanced", "parser", "merged"]
CONVENTIONS: tuple[Convention, ...] = ("enhanced", "parser", "merged")
Words = Sequence[Word]

NOMINAL = frozenset({"NOUN", "PROPN"})
# fmt: off
PERSONS = frozenset({
    "adult", "baby", "boy", "bride", "chef", "child", "cook", "cowboy", "doctor", "driver", "father", "friend", "girl",
    "groom", "guy", "kid", "lady", "man", "mother", "officer", "person", "player", "policeman", "rider", "skateboarder",
    "skier", "snowboarder", "soldier", "student", "surfer", "teacher", "toddler", "wife", "husband", "woman", "worker",
})
PERSONAL = frozenset({"he", "him", "his", "himself", "she", "her", "hers", "herself"})
NEUTER = frozenset({"it", "its", "itself"})
PLURAL = frozenset({"they", "them", "their", "theirs", "themselves"})
# fmt: on


@dataclass(frozen=True, slots=True)
class Pair:
    """Two words of a prompt by index; ``relation`` is "" where they are unrelated or only coreferent."""

    head: int
    dependent: int
    relation: str = ""


def related(words: Words, convention: Convention = "enhanced") -> list[Pair]:
    """Every head with its dependent, in reading order of the dependents; a root has no head."""
    return [
        Pair(word.head, index, relation_of(words, index, convention))
        for index, word in enumerate(words)
        if word.head != index
    ]


def coreferent(words: Words) -> list[Pair]:
    """Every pronoun that has an :func:`antecedent`, which stands in the head's place."""
    found = ((index, antecedent(words, index)) for index in range(len(words)))
    return [Pair(head, index) for index, head in found if head is not None]


def unrelated(words: Words) -> list[Pair]:
    """All pairs where neither word is the other's head or antecedent; the earlier word stands in the head's place.

    Words of different sentences of one prompt are unrelated too.
    """
    taken = {frozenset((pair.head, pair.dependent)) for pair in [*related(words), *coreferent(words)]}
    pairs = ((i, j) for i in range(len(words)) for j in range(i + 1, len(words)))
    return [Pair(i, j) for i, j in pairs if frozenset((i, j)) not in taken]


def relation_of(words: Words, index: int, convention: Convention = "enhanced") -> str:
    """The label of the relation between word ``index`` and its head under a convention."""
    label = words[index].relation
    base = label.partition(":")[0]
    if convention == "merged":
        return base
    if convention == "enhanced" and label in ("nmod", "obl"):
        return _with(base, _case(words, index))
    if convention == "enhanced" and label == "conj":
        return _with(base, _conjunction(words, index))
    return label


def antecedent(words: Words, index: int) -> int | None:
    """The noun that the pronoun ``index`` stands for, or None where the rule finds none.

    Third persons only. Candidates precede the pronoun and agree: it and its with singular nouns that name no person,
    he and she with singular persons and names, they with plural nouns. From the pronoun up the tree, the first agreeing
    subject of a governing word, or agreeing noun above, is taken ("a dog with its ball": the ball's head); else the
    nearest agreeing noun before the pronoun.
    """
    form = words[index].text.lower()
    if words[index].tag in NOMINAL or form not in PERSONAL | NEUTER | PLURAL:
        return None
    fits = {k for k in range(index) if _agrees(words[k], form)}
    above = (candidate for node in _upwards(words, index) for candidate in _near(words, node))
    return next((candidate for candidate in above if candidate in fits), max(fits, default=None))


def _upwards(words: Words, index: int) -> Iterator[int]:
    """The words above ``index``, nearest first; a parser's circle ends it."""
    seen = {index}
    while (index := words[index].head) not in seen:
        seen.add(index)
        yield index


def _near(words: Words, node: int) -> Iterator[int]:
    """The subjects of ``node``, then its head."""
    yield from (k for k in _children(words, node) if words[k].relation.startswith("nsubj"))
    yield words[node].head


def _agrees(word: Word, pronoun: str) -> bool:
    if word.tag not in NOMINAL:
        return False
    plural = word.tag == "NOUN" and word.text.lower() != word.lemma.lower()
    if pronoun in PLURAL:
        return plural or word.lemma.lower() == "people"
    person = word.lemma.lower() in PERSONS
    return not plural and (person or word.tag == "PROPN" if pronoun in PERSONAL else not person)


def _children(words: Words, index: int) -> list[int]:
    return [k for k, word in enumerate(words) if word.head == index and k != index]


def _case(words: Words, index: int) -> str:
    """The lemmas of the word's first case marker and of what is fixed to it, joined: ``next_to``."""
    cases = [k for k in _children(words, index) if words[k].relation == "case"]
    if not cases:
        return ""
    parts = [cases[0], *(k for k in _children(words, cases[0]) if words[k].relation == "fixed")]
    return "_".join(words[k].lemma.lower() for k in sorted(parts))


def _conjunction(words: Words, index: int) -> str:
    """The lemma of the conjunct's cc, or of the next later conjunct's of the same head that has one."""
    head = words[index].head
    later = [k for k in _children(words, head) if k >= index and words[k].relation == "conj"]
    marks = (k for conjunct in later for k in _children(words, conjunct) if words[k].relation == "cc")
    return next((words[k].lemma.lower() for k in marks), "")


def _with(base: str, subtype: str) -> str:
    return f"{base}:{subtype}" if subtype else base
