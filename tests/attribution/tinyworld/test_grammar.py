"""The grammar: what its captions are made of, and that their words know what they show."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from attribution.tinyworld import Caption, captions
from attribution.tinyworld.lexicon import COLOURS, GROUNDS, NAMES, NOUNS

TAGS = {"ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "VERB"}
PLURALS = {plural: noun for noun, (plural, _) in NOUNS.items()}


@pytest.fixture(scope="module")
def drawn() -> list[Caption]:
    return captions(600, 5)


def test_offsets_give_the_words_and_leave_only_spaces_between(drawn):
    for caption in drawn:
        assert [caption.text[w.start : w.end] for w in caption.words] == [w.text for w in caption.words]
        assert "".join(w.text for w in caption.words) == caption.text.replace(" ", "")


def test_all_fourteen_tags_occur_and_no_other(drawn):
    assert {word.tag for caption in drawn for word in caption.words} == TAGS


def test_the_same_seed_gives_the_same_captions_and_another_seed_others(drawn):
    assert captions(600, 5) == drawn
    assert captions(600, 6) != drawn


def test_noun_words_name_the_things_they_point_to(drawn):
    for caption in drawn:
        for word in caption.words:
            if word.shows == "object" and word.tag in ("NOUN", "PROPN"):
                named = PLURALS.get(word.text, word.text)
                assert {caption.things[index].noun for index in word.things} == {named}
            if word.colour:
                assert {caption.things[index].colour for index in word.things} == {word.text}


def test_every_thing_is_named_once_and_has_a_colour_unless_it_is_a_named_body(drawn):
    for caption in drawn:
        named = Counter(
            k for w in caption.words if w.shows == "object" and w.tag in ("NOUN", "PROPN") for k in w.things
        )
        assert named == Counter(range(len(caption.things)))
        for thing in caption.things:
            assert thing.colour in ("",) if thing.noun in NAMES else thing.colour in COLOURS


def test_a_ground_is_named_by_one_word_or_plain(drawn):
    for caption in drawn:
        grounds = [word.text for word in caption.words if word.shows == "ground"]
        expected = {"plain": "background"}.get(caption.ground, caption.ground)
        assert caption.ground in GROUNDS
        assert grounds in ([expected], [])
        assert grounds or caption.ground == "plain"


def test_verbs_and_adverbs_point_to_the_things_whose_effect_they_are(drawn):
    for caption in drawn:
        for word in caption.words:
            if word.shows == "effect":
                assert word.tag in ("VERB", "ADV")
                assert all(caption.things[index].verbs for index in word.things)


def test_articles_fit_the_next_word(drawn):
    for caption in drawn:
        for word, following in zip(caption.words, caption.words[1:], strict=False):
            if word.text.lower() in ("a", "an"):
                assert (word.text.lower() == "an") == (following.text[0].lower() in "aeiou")


def test_the_easy_world_has_no_plurals_and_at_most_two_things():
    for caption in captions(300, 8, crowded=False):
        assert len(caption.things) <= 2
        assert "NUM" not in {word.tag for word in caption.words}


def test_drawing_captions_loads_no_torch():
    code = "import sys; from attribution.tinyworld import captions; captions(2, 0); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
