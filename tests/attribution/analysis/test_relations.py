"""Relations, unrelated pairs and antecedents of sentences parsed by hand."""

from __future__ import annotations

import pytest

from attribution.analysis.relations import Pair, antecedent, coreferent, related, relation_of, unrelated
from tests.attribution.generations import prompt

BOWL = prompt(
    ("a", "DET", 1, "det"),
    ("bowl", "NOUN", 1, "root"),
    ("of", "ADP", 3, "case"),
    ("apples", "NOUN", 1, "nmod", "apple"),
    (",", "PUNCT", 5, "punct"),
    ("pears", "NOUN", 3, "conj", "pear"),
    ("and", "CCONJ", 7, "cc"),
    ("figs", "NOUN", 3, "conj", "fig"),
).words
NEXT_TO = prompt(
    ("cat", "NOUN", 0, "root"),
    ("next", "ADJ", 4, "case"),
    ("to", "ADP", 1, "fixed"),
    ("his", "PRON", 4, "nmod:poss"),
    ("bed", "NOUN", 0, "nmod"),
).words


def test_relations_under_the_three_conventions():
    assert [pair.relation for pair in related(BOWL)] == [
        "det", "case", "nmod:of", "punct", "conj:and", "cc", "conj:and",
    ]  # fmt: skip
    assert relation_of(NEXT_TO, 4) == "nmod:next_to"
    assert relation_of(NEXT_TO, 3) == "nmod:poss"
    assert relation_of(NEXT_TO, 3, "merged") == "nmod"
    assert relation_of(BOWL, 3, "parser") == relation_of(BOWL, 3, "merged") == "nmod"
    assert relation_of(BOWL, 7, "parser") == "conj"
    assert related(BOWL)[2] == Pair(1, 3, "nmod:of")


def test_a_preposition_or_conjunction_that_is_missing_leaves_the_bare_label():
    words = prompt(("cats", "NOUN", 0, "root"), ("dogs", "NOUN", 0, "conj"), ("night", "NOUN", 0, "nmod")).words
    assert [pair.relation for pair in related(words)] == ["conj", "nmod"]


def test_every_two_words_are_related_or_unrelated():
    pairs = unrelated(BOWL)
    assert len(pairs) == 8 * 7 // 2 - 7
    assert Pair(0, 2) in pairs
    assert all(pair.head < pair.dependent for pair in pairs)


def test_a_prompt_of_one_word_has_no_pairs():
    words = prompt(("sunset", "NOUN", 0, "root")).words
    assert related(words) == unrelated(words) == coreferent(words) == []


def test_words_of_two_sentences_are_unrelated():
    words = prompt(("Dogs", "NOUN", 0, "root"), (".", "PUNCT", 0, "punct"), ("Cats", "NOUN", 2, "root")).words
    assert related(words) == [Pair(0, 1, "punct")]
    assert unrelated(words) == [Pair(0, 2), Pair(1, 2)]


def test_labels_of_another_parser_are_kept_as_they_are():
    words = prompt(("holds", "VERB", 0, "ROOT"), ("ball", "NOUN", 0, "dobj"), ("table", "NOUN", 0, "pobj")).words
    assert [pair.relation for pair in related(words)] == ["dobj", "pobj"]


@pytest.mark.parametrize(
    ("rows", "pronoun", "noun"),
    [
        # "dog with its ball": the ball's head.
        ([("dog", "NOUN", 0, "root"), ("with", "ADP", 3, "case"), ("its", "PRON", 3, "nmod:poss"),
          ("ball", "NOUN", 0, "nmod")], 2, 0),
        # "dog chases ball with its nose": the subject, though the ball is nearer.
        ([("dog", "NOUN", 1, "nsubj"), ("chases", "VERB", 1, "root", "chase"), ("ball", "NOUN", 1, "obj"),
          ("with", "ADP", 5, "case"), ("its", "PRON", 5, "nmod:poss"), ("nose", "NOUN", 1, "obl")], 4, 0),
        # "table with cat licking its paw": the noun that the clause is about.
        ([("table", "NOUN", 0, "root"), ("with", "ADP", 2, "case"), ("cat", "NOUN", 0, "nmod"),
          ("licking", "VERB", 2, "acl", "lick"), ("its", "PRON", 5, "nmod:poss"), ("paw", "NOUN", 3, "obj")], 4, 2),
        # "man riding horse with his dog": a person, not the horse.
        ([("man", "NOUN", 0, "root"), ("riding", "VERB", 0, "acl", "ride"), ("horse", "NOUN", 1, "obj"),
          ("with", "ADP", 5, "case"), ("his", "PRON", 5, "nmod:poss"), ("dog", "NOUN", 1, "obl")], 4, 0),
        # "dog and people on their bikes": plural, though head of its phrase is singular.
        ([("dog", "NOUN", 0, "root"), ("and", "CCONJ", 2, "cc"), ("people", "NOUN", 0, "conj", "person"),
          ("on", "ADP", 5, "case"), ("their", "PRON", 5, "nmod:poss"), ("bikes", "NOUN", 0, "nmod", "bike")], 4, 2),
        # "Bob and her hat": a name may be hers.
        ([("Bob", "PROPN", 0, "root"), ("and", "CCONJ", 3, "cc"), ("her", "PRON", 3, "nmod:poss"),
          ("hat", "NOUN", 0, "conj")], 2, 0),
        # "her dog": nothing precedes.
        ([("her", "PRON", 1, "nmod:poss"), ("dog", "NOUN", 1, "root")], 0, None),
        # "dogs on it": no singular before it.
        ([("dogs", "NOUN", 0, "root", "dog"), ("on", "ADP", 2, "case"), ("it", "PRON", 0, "nmod")], 2, None),
        # "my dog": first persons have no antecedent in a caption.
        ([("cat", "NOUN", 2, "dep"), ("my", "PRON", 2, "nmod:poss"), ("dog", "NOUN", 2, "root")], 1, None),
    ],
)  # fmt: skip
def test_antecedents(rows, pronoun, noun):
    words = prompt(*rows).words
    assert antecedent(words, pronoun) == noun
    assert coreferent(words) == ([] if noun is None else [Pair(noun, pronoun)])


def test_coreferent_words_are_not_unrelated():
    words = prompt(
        ("dog", "NOUN", 1, "nsubj"), ("licks", "VERB", 1, "root"), ("its", "PRON", 3, "nmod:poss"),
        ("nose", "NOUN", 1, "obj"),
    ).words  # fmt: skip
    assert Pair(0, 2) not in unrelated(words)
    assert Pair(0, 3) in unrelated(words)


def test_a_circle_of_heads_ends():
    words = prompt(("cat", "NOUN", 1, "dep"), ("saw", "VERB", 2, "dep"), ("it", "PRON", 1, "obj")).words
    assert antecedent(words, 2) == 0
