from __future__ import annotations

import random
from pathlib import Path

import pytest

from attribution.language.augment import lowered, noun_phrases, training_texts, with_full_stop, with_initial
from attribution.language.conllu import Sentence, read_paragraphs


@pytest.fixture(scope="module")
def sentences(toy_treebank: Path) -> list[Sentence]:
    return [paragraph[0] for paragraph in read_paragraphs(toy_treebank / "dev.conllu")]


def text(sentence: Sentence) -> str:
    return " ".join(word.form for word in sentence)


def test_noun_phrases_are_cut_out_without_their_case_marker(sentences: list[Sentence]):
    assert [text(phrase) for phrase in noun_phrases(sentences[0])] == ["A black cat", "the mat"]
    assert [text(phrase) for phrase in noun_phrases(sentences[1])] == [
        "The man in the hat", "the hat", "a dog and a ball", "a ball",
    ]  # fmt: skip


def test_the_noun_becomes_the_root_and_heads_are_counted_anew(sentences: list[Sentence]):
    phrase = noun_phrases(sentences[1])[2]
    assert [(word.form, word.head, word.relation) for word in phrase] == [
        ("a", 1, "det"), ("dog", 1, "root"), ("and", 4, "cc"), ("a", 4, "det"), ("ball", 1, "conj"),
    ]  # fmt: skip


def test_a_full_stop_hangs_on_the_root(sentences: list[Sentence]):
    closed = with_full_stop(noun_phrases(sentences[0])[0])
    assert [(word.form, word.head, word.space) for word in closed[-2:]] == [("cat", 2, False), (".", 2, True)]


def test_capitals_come_and_go_without_changing_the_tags(sentences: list[Sentence]):
    assert text(with_initial(sentences[0], capital=False)) == "a black cat sits on the mat ."
    assert text(with_initial(noun_phrases(sentences[0])[1], capital=True)) == "The mat"
    assert text(lowered(sentences[2])) == "dogs do n't run ."
    assert [word.tag for word in lowered(sentences[2])] == [word.tag for word in sentences[2]]


def test_an_epoch_holds_every_sentence_and_repeats_with_its_seed(toy_treebank: Path):
    paragraphs = read_paragraphs(toy_treebank / "dev.conllu")
    epochs = [list(training_texts(paragraphs, random.Random(seed))) for seed in (3, 3)]
    assert epochs[0] == epochs[1]
    seen = {text(sentence).lower() for texts in epochs[0] for sentence in texts}
    assert {text(paragraph[0]).lower() for paragraph in paragraphs} <= seen
