from __future__ import annotations

from pathlib import Path

import pytest

from attribution.errors import LanguageError
from attribution.language.conllu import paragraph_text, read_paragraphs

FRENCH = "1-2\tau" + "\t_" * 8 + "\n1\t\u00e0\t\u00e0\tADP\tIN\t_\t0\troot\t_\t_\n"
ROW = "{}\t{}\t{}\tNOUN\tNN\t_\t{}\troot\t_\t{}"


def test_words_heads_and_spaces_are_read(toy_treebank: Path):
    paragraphs = read_paragraphs(toy_treebank / "dev.conllu")
    assert [paragraph_text(paragraph) for paragraph in paragraphs] == [
        "A black cat sits on the mat.",
        "The man in the hat has a dog and a ball.",
        "Dogs don't run.",
        "Two dogs",
    ]
    third = paragraphs[2][0]
    assert [(word.form, word.head, word.space) for word in third] == [
        ("Dogs", 3, True), ("do", 3, False), ("n't", 3, True), ("run", 3, False), (".", 3, True),
    ]  # fmt: skip


def test_sentences_of_a_paragraph_stay_together_and_empty_nodes_go(tmp_path: Path):
    one = ROW.format(1, "Dogs", "dog", 0, "_") + "\n1.1" + "\t_" * 9 + "\n\n"
    path = tmp_path / "x.conllu"
    path.write_text("# newpar\n" + one + one + "# newpar\n" + one)
    assert [len(paragraph) for paragraph in read_paragraphs(path)] == [2, 1]
    path.write_text(one + one)
    assert [len(paragraph) for paragraph in read_paragraphs(path)] == [1, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1\tDogs\tdog\n", "line 1: 3 columns where CoNLL-U has 10"),
        (ROW.format(1, "Dogs", "dog", "_", "_") + "\n", "line 1: head '_' is not a word number"),
        (FRENCH, "line 2: the word '\u00e0' is no part"),
        ("\n\n", "no sentence found"),
    ],
)  # fmt: skip
def test_what_is_no_treebank_is_refused(tmp_path: Path, content: str, message: str):
    path = tmp_path / "x.conllu"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(LanguageError, match=message):
        read_paragraphs(path)


def test_a_missing_treebank_is_named(tmp_path: Path):
    with pytest.raises(LanguageError, match=r"train\.conllu: No such file or directory; check --treebank"):
        read_paragraphs(tmp_path / "train.conllu")
