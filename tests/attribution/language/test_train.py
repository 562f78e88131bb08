from __future__ import annotations

import json
from pathlib import Path

import pytest
import spacy
from spacy.language import Language

from attribution.errors import LanguageError
from attribution.language import load_parser
from attribution.language.conllu import read_paragraphs
from attribution.language.ship import prune_edit_trees
from attribution.language.tokenizer import adapt_tokenizer
from attribution.language.train import build, example, main, train


def test_the_command_trains_a_pipeline_that_learnt_its_sentences(toy_pipeline: Path):
    (prompt,) = load_parser(toy_pipeline).parse(["The man in the hat has a dog and a ball."])
    assert [word.tag for word in prompt.words] == [
        "DET", "NOUN", "ADP", "DET", "NOUN", "VERB", "DET", "NOUN", "CCONJ", "DET", "NOUN", "PUNCT",
    ]  # fmt: skip
    assert json.loads((toy_pipeline / "scores.json").read_text())["test"]["upos"] > 90


def test_the_folder_carries_licence_notice_and_no_fine_tagger(toy_pipeline: Path):
    notice = (toy_pipeline / "NOTICE.md").read_text()
    assert "CC BY-SA 4.0" in notice
    assert "--steps 40 --polish 2 --words 100 --seed 1" in notice
    assert (toy_pipeline / "LICENSE").read_text() == "the treebank's licence\n"
    assert spacy.load(toy_pipeline).pipe_names == ["tok2vec", "morphologizer", "parser", "trainable_lemmatizer"]


def test_words_of_the_treebank_do_not_stay_in_the_string_store(toy_pipeline: Path):
    strings = set(json.loads((toy_pipeline / "vocab" / "strings.json").read_text()))
    assert not strings & {"cat", "mat", "ball", "black", "sits"}
    assert {"POS=DET", "POS=NOUN"} <= strings


def test_the_same_seed_trains_the_same_weights(toy_treebank: Path):
    paragraphs = read_paragraphs(toy_treebank / "train.conllu")
    models = []
    for _ in range(2):
        nlp = train(paragraphs, steps=3, seed=4, nlp=build(width=16, rows=(50, 50, 50, 50), depth=1), words_per_step=50)
        models.append(nlp.get_pipe("tok2vec").model.to_bytes())
    assert models[0] == models[1]


def test_pruning_edit_trees_changes_no_lemma(toy_treebank: Path):
    paragraphs = read_paragraphs(toy_treebank / "train.conllu")
    nlp = train(paragraphs, steps=20, seed=0, nlp=build(width=16, rows=(50, 50, 50, 50), depth=1), words_per_step=100)
    lemmatizer = nlp.get_pipe("trainable_lemmatizer")
    lemmatizer.trees.add("unheard", "never")
    before, size = [token.lemma_ for token in nlp("Dogs has a dogs.")], len(lemmatizer.trees)
    prune_edit_trees(lemmatizer)
    assert len(lemmatizer.trees) < size
    assert [token.lemma_ for token in nlp("Dogs has a dogs.")] == before


def test_gold_tags_reach_the_tokens_of_the_pipeline(toy_treebank: Path):
    nlp = spacy.blank("en")
    adapt_tokenizer(nlp)
    pair = example(nlp, read_paragraphs(toy_treebank / "dev.conllu")[2])
    assert [token.text for token in pair.predicted] == ["Dogs", "do", "n't", "run", "."]
    assert pair.get_aligned("POS", as_string=True) == ["NOUN", "AUX", "PART", "VERB", "PUNCT"]
    assert pair.get_aligned_parse()[0] == [3, 3, 3, 3, 3]


@pytest.fixture(scope="module")
def tokenisers() -> list[Language]:
    """The adapted tokeniser, and one that was stored and read back."""
    nlp, restored = spacy.blank("en"), spacy.blank("en")
    adapt_tokenizer(nlp)
    restored.tokenizer.from_bytes(nlp.tokenizer.to_bytes())
    return [nlp, restored]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a non-smoker's two-way e-mail", ["a", "non-smoker", "'s", "two", "-", "way", "e-mail"]),
        ("No way!!! It's 7:30pm", ["No", "way", "!!!", "It", "'s", "7:30", "pm"]),
        ("salt and/or pepper -- b/c ...?", ["salt", "and", "/", "or", "pepper", "--", "b/c", "...?"]),
        ("call 555-010-0199 now", ["call", "555-010-0199", "now"]),
    ],
)
def test_the_tokeniser_splits_as_the_treebanks_do(tokenisers: list[Language], text: str, tokens: list[str]):
    adapted, restored = tokenisers
    assert [token.text for token in adapted(text)] == tokens
    assert [token.text for token in restored(text)] == tokens


def test_a_treebank_without_its_licence_is_refused(tmp_path: Path):
    with pytest.raises(LanguageError, match=r"no .*LICENSE\.txt"):
        main(["--treebank", str(tmp_path), "--out", str(tmp_path / "out")])
