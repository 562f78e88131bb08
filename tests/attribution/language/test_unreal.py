"""Nouns swapped by hand-checked rules."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from attribution.errors import SamplingError
from attribution.language import load_captions, load_parser
from attribution.language.articles import article, phrase
from attribution.language.unreal import Nouns, choose, unreal
from attribution.records import Prompt, Word
from tests.attribution.generations import prompt

CORPUS = [
    prompt(("A", "DET", 1, "det"), ("dog", "NOUN", 1, "root"), ("chases", "VERB", 1, "acl"), ("a", "DET", 5, "det"),
           ("red", "ADJ", 5, "amod"), ("ball", "NOUN", 2, "obj")),
    prompt(("An", "DET", 1, "det"), ("owl", "NOUN", 1, "root"), ("sees", "VERB", 1, "acl"), ("Bob", "PROPN", 2, "obj")),
    prompt(("Cats", "NOUN", 0, "root", "cat"), ("eat", "VERB", 0, "acl"), ("apples", "NOUN", 1, "obj", "apple")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        *((word, "an") for word in ("apple", "orange", "elephant", "umbrella", "oven", "hour", "heirloom", "SUV",
                                    "8-year-old", "11", "80", "uninteresting", "unimportant", "usher", "urn")),
        *((word, "a") for word in ("bus", "tv", "hot dog", "unicycle", "uniform", "user", "European", "one", "ewe",
                                   "ukulele", "UFO", "TV", "1", "house", "horse", "utensil", "utility")),
    ],
)  # fmt: skip
def test_articles(word, expected):
    assert article(word) == expected
    assert phrase(word) == f"{expected} {word}"


def test_the_nouns_of_a_corpus_by_number():
    nouns = Nouns.of(CORPUS)
    assert nouns.singular == (("ball", "ball"), ("dog", "dog"), ("owl", "owl"))
    assert nouns.plural == (("apples", "apple"), ("cats", "cat"))


def test_what_is_seldom_a_noun_or_seldom_said_is_left_out():
    ripe = [prompt(("ripe", tag, 0, "root")) for tag in ("NOUN", "ADJ")]
    dogs = [prompt(("Dog", "NOUN", 0, "root"))] * 2 + [prompt(("dog", "VERB", 0, "root"))]
    assert Nouns.of([*ripe, *dogs, CORPUS[1]]).singular == (("dog", "dog"), ("owl", "owl"))
    assert Nouns.of([*ripe, *dogs, CORPUS[1]], at_least=2).singular == (("dog", "dog"),)


def test_number_article_and_capitals_agree_and_all_else_stays():
    for seed in range(20):
        first, second, third = unreal(CORPUS, Nouns.of(CORPUS), seed)
        assert third.prompt.text == "Apples eat cats"
        assert second.prompt.text in ("A dog sees Bob", "A ball sees Bob")
        assert second.original == "An owl sees Bob"
        (old, new), (other_old, other_new) = first.swaps
        assert (old, other_old) == ("dog", "ball")
        assert new in ("ball", "owl")
        assert other_new in ("dog", "owl")
        lead = "An" if new == "owl" else "A"
        # The second article stands before "red", whatever the noun.
        assert first.prompt.text == f"{lead} {new} chases a red {other_new}"


def test_offsets_and_parse_fit_the_new_text():
    for swapped in unreal(CORPUS, Nouns.of(CORPUS), 1):
        before = next(one for one in CORPUS if one.text == swapped.original)
        for word, old in zip(swapped.prompt.words, before.words, strict=True):
            assert swapped.prompt.text[word.start : word.end] == word.text
            assert (word.tag, word.head, word.relation) == (old.tag, old.head, old.relation)
    assert swapped.prompt.words[0].lemma == "apple"


def test_what_stands_between_words_is_kept():
    text = "  a dog,its bone "
    words = (Word("a", 2, 3, "DET", "a", 1, "det"), Word("dog", 4, 7, "NOUN", "dog", 1, "root"),
             Word(",", 7, 8, "PUNCT", ",", 1, "punct"), Word("its", 8, 11, "PRON", "its", 4, "nmod:poss"),
             Word("bone", 12, 16, "NOUN", "bone", 1, "conj"))  # fmt: skip
    nouns = Nouns((("egg", "egg"),), ())
    (swapped,) = unreal([Prompt(text, words)], nouns, 0)
    assert swapped.prompt.text == "  an egg,its egg "


def test_a_repeated_noun_is_swapped_for_the_same_one():
    words = prompt(("dog", "NOUN", 0, "root"), ("Dog", "NOUN", 0, "dep"), ("DOG", "NOUN", 0, "dep"))
    (swapped,) = unreal([words], Nouns((("owl", "owl"), ("ball", "ball")), ()), 3)
    one, two, three = (new for _, new in swapped.swaps)
    assert (two, three) == (one.capitalize(), one.upper())


def test_every_other_noun_is_equally_likely():
    nouns = Nouns(tuple((word, word) for word in ("dog", "owl", "ball", "egg")), ())
    dog = [prompt(("dog", "NOUN", 0, "root"))]
    drawn = Counter(new for seed in range(600) for one in unreal(dog, nouns, seed) for _, new in one.swaps)
    assert set(drawn) == {"owl", "ball", "egg"}
    # Three standard deviations of a third of 600.
    assert all(abs(count - 200) < 35 for count in drawn.values())


def test_a_captions_swaps_depend_on_it_and_the_seed_alone():
    nouns = Nouns.of(CORPUS)
    whole, alone = list(unreal(CORPUS, nouns, 5)), list(unreal(CORPUS[1:2], nouns, 5))
    assert whole[1] == alone[0]
    assert any(list(unreal(CORPUS, nouns, seed)) != whole for seed in range(6, 12))


def test_a_corpus_without_another_noun_is_refused():
    with pytest.raises(SamplingError, match="no other singular noun than 'dog'"):
        list(unreal([prompt(("dog", "NOUN", 0, "root"))], Nouns((("dog", "dog"),), ()), 0))


def test_coco_gen_draws_distinct_captions_with_a_noun_in_order():
    nothing = prompt(("runs", "VERB", 0, "root"))
    chosen = choose([*CORPUS, nothing, CORPUS[0]], 2, seed=1)
    assert len({one.text for one in chosen}) == 2
    assert [CORPUS.index(one) for one in chosen] == sorted(CORPUS.index(one) for one in chosen)
    assert choose([*CORPUS, nothing], 3, seed=9) == CORPUS
    with pytest.raises(SamplingError, match="holds 3"):
        choose([*CORPUS, nothing], 4, seed=1)


def test_real_captions(shared_data):
    captions = load_captions(shared_data / "coco" / "captions_val2017.json")
    sample = random.Random(0).sample(captions, 150)
    prompts = list(load_parser().parse_captions(sample))
    chosen = choose(prompts, 60, seed=0)
    made = list(unreal(chosen, Nouns.of(prompts), 0))
    for swapped, before in zip(made, chosen, strict=True):
        kept = [word.text for word in before.words if word.tag not in ("NOUN", "DET")]
        assert [word.text for word in swapped.prompt.words if word.tag not in ("NOUN", "DET")] == kept
        assert all(old.lower() != new.lower() for old, new in swapped.swaps)
