"""Cohyponyms: COCO's ontology, prompts matched noun by noun, and groups from a WordNet database written by hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from attribution.errors import AnalysisError
from attribution.ontology import (
    COCO,
    COCO_GROUPS,
    COCO_HYPERNYMS,
    COCO_UNGROUPED,
    COHYPONYMS,
    OTHERS,
    Ontology,
    noun_pairs,
    read_ontology,
)  # fmt: skip
from attribution.segmentation.coco import CLASSES
from attribution.wordnet import WordNet, ontology_of


def test_every_object_of_coco_has_its_place():
    grouped = [noun for nouns in COCO_GROUPS.values() for noun in nouns]
    assert sorted([*grouped, *COCO_UNGROUPED]) == sorted(CLASSES)
    assert COCO_HYPERNYMS.keys() == COCO_GROUPS.keys()


@pytest.mark.parametrize(
    ("first", "second", "condition"),
    [("zebra", "giraffe", COHYPONYMS), ("cat", "Dog", COHYPONYMS), ("cat", "cow", OTHERS), ("cat", "cat", None),
     ("cat", "person", None), ("cat", "teapot", None)],
)  # fmt: skip
def test_conditions(first, second, condition):
    assert COCO.condition(first, second) == condition


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [20, 60, 400])
def test_half_are_cohyponyms_and_nouns_are_matched(count, seed):
    pairs = noun_pairs(COCO, count, seed)
    assert len(pairs) == count
    for place in (0, 1):
        by = {
            name: Counter(pair.nouns[place][0] for pair in pairs if pair.condition == name)
            for name in (COHYPONYMS, OTHERS)
        }
        assert by[COHYPONYMS] == by[OTHERS]
        assert by[COHYPONYMS].total() == count // 2
    for pair in pairs:
        (first, *_), (second, *_) = pair.nouns
        assert COCO.condition(first, second) == pair.condition
        assert COCO.nouns_in(pair.text) == pair.nouns
        assert all(pair.text[start:end] == noun for noun, start, end in pair.nouns)


def test_prompts_have_their_articles_and_repeat_late():
    pairs = noun_pairs(COCO, 160, 0)
    assert len({pair.text for pair in pairs if pair.condition == COHYPONYMS}) == 80
    assert "an elephant" in " ".join(pair.text for pair in pairs)
    assert " a orange" not in " ".join(f" {pair.text}" for pair in pairs)
    assert noun_pairs(COCO, 20, 1) == noun_pairs(COCO, 20, 1) != noun_pairs(COCO, 20, 2)


def test_what_cannot_be_halved_or_matched_is_refused():
    with pytest.raises(AnalysisError, match="even number"):
        noun_pairs(COCO, 3, 0)
    with pytest.raises(AnalysisError, match="cannot be matched"):
        noun_pairs(Ontology({"pets": ("cat", "dog")}), 4, 0)
    with pytest.raises(AnalysisError, match="no group of two"):
        noun_pairs(Ontology({"pets": ("cat",)}), 4, 0)
    with pytest.raises(AnalysisError, match="cat in two groups"):
        Ontology({"pets": ("cat", "dog"), "felines": ("cat", "lion")})


@pytest.mark.parametrize(
    "text",
    ["a cat", "a cat and a teapot", "two cats and a dog", "a cat or a dog", "", "a and a", "a cat and a dog and"],
)
def test_other_prompts_have_no_two_nouns(text):
    assert COCO.nouns_in(text) is None


def test_nouns_are_found_by_their_places():
    assert COCO.nouns_in("A hot dog and an Orange.") == (("hot dog", 2, 9), ("Orange", 17, 23))


def test_an_ontology_is_read_back(tmp_path: Path):
    path = tmp_path / "ontology.json"
    path.write_text(COCO.to_json())
    assert read_ontology(path) == COCO
    path.write_text("[]")
    with pytest.raises(AnalysisError, match="needs 'groups'"):
        read_ontology(path)


# Offset, words, hypernyms: cats and dogs meet two steps up, hammers and saws one, the teapot alone.
SENSES = [
    ("entity", (), ["entity"]),
    ("animal", ("entity",), ["animal", "beast"]),
    ("carnivore", ("animal",), ["carnivore"]),
    ("feline", ("carnivore",), ["feline", "felid"]),
    ("canine", ("carnivore",), ["canine"]),
    ("cat", ("feline",), ["cat", "true_cat"]),
    ("dog", ("canine",), ["dog", "domestic_dog"]),
    ("tool", ("entity",), ["tool"]),
    ("hand saw", ("tool",), ["hand_saw"]),
    ("hammer", ("tool", "animal"), ["hammer"]),
    ("pot", ("entity",), ["pot"]),
    ("teapot", ("pot",), ["teapot"]),
]


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    """``index.noun`` and ``data.noun`` with their licence's indented head, byte offsets and all."""
    head = "  1 This software and database is being provided to you\n"
    # Offsets have eight digits, so that lines have one length whatever they are.
    offsets, place = {}, len(head)
    for name, above, words in SENSES:
        offsets[name] = place
        place += len(_data_line(0, above, words, dict.fromkeys(offsets | dict.fromkeys(above, 0), 0)))
    data = head + "".join(_data_line(offsets[name], above, words, offsets) for name, above, words in SENSES)
    (tmp_path / "data.noun").write_text(data)
    index = head + "".join(
        f"{words[0]} n 2 2 @ ~ 2 1 {offsets[name]:08} {offsets['entity']:08}  \n" for name, _, words in SENSES
    )
    (tmp_path / "index.noun").write_text(index)
    return tmp_path


def _data_line(offset: int, above: tuple[str, ...], words: list[str], offsets: dict[str, int]) -> str:
    named = " ".join(f"{word} 0" for word in words)
    pointers = "".join(f"@ {offsets[name]:08} n 0000 " for name in above)
    pointers += "~ 00000001 n 0000 "
    return f"{offset:08} 05 n {len(words):02x} {named} {len(above) + 1:03} {pointers}| a gloss | with a bar\n"


def test_nouns_meet_at_their_lowest_shared_hypernym(wordnet: Path):
    found = ontology_of(["cat", "dog", "hammer", "hand saw", "teapot"], wordnet)
    groups = {name.split(".")[0]: nouns for name, nouns in found.groups.items()}
    assert groups == {"carnivore": ("cat", "dog"), "tool": ("hammer", "hand saw")}
    above = {name.split(".")[0]: names for name, names in found.hypernyms.items()}
    assert above == {"carnivore": ("animal", "entity"), "tool": ("entity",)}
    assert found.condition("cat", "hammer") == OTHERS


def test_reach_bounds_how_far_up_nouns_may_meet(wordnet: Path):
    groups = ontology_of(["cat", "dog", "hammer", "hand saw"], wordnet, reach=1).groups
    assert list(groups.values()) == [("hammer", "hand saw")]


def test_a_sense_with_its_words(wordnet: Path):
    database = WordNet(wordnet)
    offset = database.first_senses(["Cat"])["Cat"]
    assert database.synset(offset).words == ("cat", "true_cat")
    assert [synset.words[0] for synset in database.chain(offset)] == ["cat", "feline", "carnivore", "animal", "entity"]


def test_damage_and_strangers_are_named(wordnet: Path, tmp_path_factory):
    with pytest.raises(AnalysisError, match="no noun unicorn"):
        ontology_of(["cat", "unicorn"], wordnet)
    with pytest.raises(AnalysisError, match="byte 7: not a line"):
        WordNet(wordnet).synset(7)
    with pytest.raises(AnalysisError, match=r"index\.noun"):
        WordNet(tmp_path_factory.mktemp("empty"))
    (wordnet / "index.noun").write_text("cat n x\n")
    with pytest.raises(AnalysisError, match="line 1: not a line"):
        ontology_of(["cat"], wordnet)
