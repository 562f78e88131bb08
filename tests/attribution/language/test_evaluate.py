from __future__ import annotations

from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc

from attribution.language.conllu import read_paragraphs
from attribution.language.evaluate import evaluate, f1, gold_words, main


class OneDoc:
    """A pipeline that answers every text with analyses prepared by hand."""

    def __init__(self, docs: list[Doc]) -> None:
        self.docs = docs

    def pipe(self, texts: list[str], batch_size: int) -> list[Doc]:
        assert [doc.text for doc in self.docs] == texts
        return self.docs


@pytest.fixture
def system(toy_treebank: Path) -> OneDoc:
    """'Dogs don't run.' with "don't" unsplit, one tag, one head and one relation wrong; 'Two dogs' all right."""
    vocab = spacy.blank("en").vocab
    dogs = Doc(
        vocab, ["Dogs", "don't", "run", "."], spaces=[True, True, False, False], pos=["PROPN", "AUX", "VERB", "PUNCT"],
        lemmas=["dog", "do", "run", "."], heads=[2, 2, 2, 0], deps=["obj", "aux", "ROOT", "punct"],
    )  # fmt: skip
    two = Doc(
        vocab, ["Two", "dogs"], spaces=[True, False], pos=["NUM", "NOUN"], lemmas=["two", "dogs"], heads=[1, 1],
        deps=["nummod:x", "ROOT"],
    )  # fmt: skip
    return OneDoc([dogs, two])


def test_scores_are_the_hand_counted_f1(toy_treebank: Path, system: OneDoc):
    paragraphs = read_paragraphs(toy_treebank / "dev.conllu")[2:]
    # Gold 5 + 2 words, system 4 + 2; 5 align (Dogs, run, ., Two, dogs): F1 = 200 x right / 13.
    scores = evaluate(system, paragraphs)
    assert scores == {
        "words": 76.92,  # 5 right
        "upos": 61.54,  # 4: Dogs is no PROPN
        "uas": 61.54,  # 4: the full stop hangs on Dogs
        "las": 46.15,  # 3: and Dogs is no obj; nummod:x counts as nummod
        "lemma": 61.54,  # 4: dogs is no lemma
        "sentences": 100.0,
    }


def test_f1_of_nothing_is_zero():
    assert f1(0, 0, 0) == 0.0


def test_gold_spans_count_letters_across_sentences(toy_treebank: Path):
    paragraphs = read_paragraphs(toy_treebank / "dev.conllu")
    words = gold_words((paragraphs[3][0], paragraphs[3][0]))
    assert [word.span for word in words] == [(0, 3), (3, 7), (7, 10), (10, 14)]
    assert [word.head for word in words] == [(3, 7), (-1, -1), (10, 14), (-1, -1)]


def test_the_command_prints_json(toy_treebank: Path, toy_pipeline: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--treebank", str(toy_treebank / "test.conllu"), "--pipeline", str(toy_pipeline)]) == 0
    assert '"upos": ' in capsys.readouterr().out
