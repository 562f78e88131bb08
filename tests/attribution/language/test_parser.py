from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from attribution.errors import LanguageError
from attribution.language import Caption, Parser, load_parser
from attribution.language.parser import NEEDED


@pytest.fixture(scope="module")
def parser(toy_pipeline: Path) -> Parser:
    return load_parser(toy_pipeline)


@Language.component("everything_is_a_noun")
def everything_is_a_noun(doc: Doc) -> Doc:
    for token in doc:
        token.pos_, token.lemma_ = "NOUN", token.text
    return doc


def saved(nlp: Language, folder: Path) -> Path:
    nlp.to_disk(folder)
    return folder


def with_parser(labels: set[str], folder: Path) -> Path:
    """A pipeline whose untrained parser knows the labels; every word is a noun."""
    nlp = spacy.blank("en")
    nlp.add_pipe("everything_is_a_noun")
    dependency_parser = nlp.add_pipe("parser")
    for label in sorted(labels):
        dependency_parser.add_label(label)
    nlp.initialize()
    return saved(nlp, folder)


def test_words_carry_offsets_tag_lemma_head_and_relation(parser: Parser):
    (prompt,) = parser.parse(["A black cat sits on the mat."])
    # The treebank's own analysis of its first sentence.
    assert [astuple(word) for word in prompt.words] == [
        ("A", 0, 1, "DET", "a", 2, "det"),
        ("black", 2, 7, "ADJ", "black", 2, "amod"),
        ("cat", 8, 11, "NOUN", "cat", 3, "nsubj"),
        ("sits", 12, 16, "VERB", "sit", 3, "root"),
        ("on", 17, 19, "ADP", "on", 6, "case"),
        ("the", 20, 23, "DET", "the", 6, "det"),
        ("mat", 24, 27, "NOUN", "mat", 3, "obl"),
        (".", 27, 28, "PUNCT", ".", 3, "punct"),
    ]  # fmt: skip


def test_white_space_is_no_word_and_heads_count_words(parser: Parser):
    text = "  A black \u2003\n cat  sits on the   mat ."
    (prompt,) = parser.parse([text])
    assert [word.text for word in prompt.words] == ["A", "black", "cat", "sits", "on", "the", "mat", "."]
    assert all(0 <= word.head < 8 for word in prompt.words)
    assert all(text[word.start : word.end] == word.text for word in prompt.words)


@pytest.mark.parametrize(
    "text",
    [
        "A BLACK CAT SITS ON THE MAT.",
        "A Black Cat Sits On The Mat.",
        "\u0130ki caf\u00e9s \u2014 \U0001f408 na\u00efve e\u0301tude don't",
        "\u00dfTRASSE \ufb01sh 12\u20ac",
        "   ",
        "",
    ],
)
def test_offsets_are_those_of_the_text_as_given(parser: Parser, text: str):
    (prompt,) = parser.parse([text])
    assert prompt.text == text
    assert [text[word.start : word.end] for word in prompt.words] == [word.text for word in prompt.words]
    ends = [0] + [word.end for word in prompt.words]
    assert all(text[end : word.start].strip() == "" for end, word in zip(ends, prompt.words, strict=False))
    assert text[ends[-1] :].strip() == ""


def test_capitals_change_neither_tags_nor_relations(parser: Parser):
    plain, raised = parser.parse(["a black cat sits on the mat.", "A BLACK CAT SITS ON THE MAT."])
    assert [(word.tag, word.head, word.relation) for word in plain.words] == [
        (word.tag, word.head, word.relation) for word in raised.words
    ]
    assert raised.words[2].text == "CAT"


def test_captions_keep_their_ids_and_order_over_batches(parser: Parser):
    captions = [Caption(f"Dogs run {index}", f"id{index}") for index in range(7)]
    prompts = list(parser.parse_captions(iter(captions), batch_size=2))
    assert [(prompt.text, prompt.source_id) for prompt in prompts] == [(each.text, each.source_id) for each in captions]


def test_provenance_names_the_pipeline(parser: Parser):
    assert (parser.name, parser.version) == ("en_attest_ud_english", "1.0.0")


def test_an_unknown_pipeline_is_refused_with_the_remedy():
    with pytest.raises(LanguageError, match=r"cannot load the language pipeline 'no_such'.*installed spaCy pipeline"):
        load_parser("no_such")


def test_a_pipeline_without_components_is_told_which_are_missing(tmp_path: Path):
    with pytest.raises(
        LanguageError, match=r"no Universal POS tags \(a morphologizer.*no dependency parse \(a parser\), no lemmas"
    ):
        load_parser(saved(spacy.blank("en"), tmp_path))


def test_relations_of_another_scheme_are_named_and_the_missing_ones_too(tmp_path: Path):
    # Some of the labels of ClearNLP, which spaCy's own English pipelines use.
    folder = with_parser({"ROOT", "nsubj", "nsubjpass", "dobj", "pobj", "prep", "amod", "det", "cc", "conj"}, tmp_path)
    message = re.escape("missing relations [case, nmod, obj, obl], foreign relations [dobj, nsubjpass, pobj, prep]")
    with pytest.raises(LanguageError, match=message):
        load_parser(folder)


def test_another_pipeline_with_universal_relations_may_take_the_place(tmp_path: Path):
    parser = load_parser(with_parser({*NEEDED - {"root"}, "ROOT", "nmod:poss"}, tmp_path))
    (prompt,) = parser.parse(["Two dogs"])
    assert [word.tag for word in prompt.words] == ["NOUN", "NOUN"]


def test_importing_the_package_loads_no_spacy():
    code = "import sys, attribution.language; sys.exit('spacy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
