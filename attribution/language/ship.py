"""Saving a trained pipeline for the repository: nothing of the treebank's text left in it, notices beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.pipeline import EditTreeLemmatizer

from attribution.errors import LanguageError
from attribution.language.conllu import read_paragraphs
from attribution.language.evaluate import evaluate
from attribution.language.tokenizer import adapt_tokenizer

Scores = dict[str, dict[str, float]]

NO_TREE = 2**32 - 1  # how spaCy's edit trees write "no child"
UNCHANGED = -1
IDENTITY = {"prefix_len": 0, "suffix_len": 0, "prefix_tree": NO_TREE, "suffix_tree": NO_TREE}
SHORTEST_NAME = 4
TREEBANK = "Universal Dependencies English Web Treebank (UD English EWT)"
TREEBANK_URL = "https://universaldependencies.org/treebanks/en_ewt/"
AUTHORS = (
    "Natalia Silveira, Timothy Dozat, Christopher Manning, Sebastian Schuster, Ethan Chi, John Bauer",
    "Miriam Connor, Marie-Catherine de Marneffe, Nathan Schneider, Sam Bowman, Hanzhi Zhu, Daniel Galbraith",
)

NOTICE = """# Language pipeline for English captions

A spaCy pipeline: words, Universal POS tags, lemmas and Universal Dependencies relations. It is a work derived from
a treebank and **is not under the licence of the project's code**.

- Licence: Creative Commons Attribution-ShareAlike 4.0 International (CC BY-SA 4.0). The full text is in `LICENSE`.
- Derived from: {treebank},
  {url}
- Its authors: {authors}.
  Its annotations are copyright by The Board of Trustees of The Leland Stanford Junior University, under CC BY-SA 4.0.
- Changes made: weights were trained on the treebank's training part, with noun phrases cut out and capitals taken away
  as augmentation; nothing of the treebank's text is stored beside the ends of words that the lemmatizer exchanges.
- Made by: `python -m attribution.language.train --treebank DIR --out DIR {recipe}`

## Scores

F1 in percent on the treebank's raw text (own tokeniser, aligned as at CoNLL 2018), as printed by
`python -m attribution.language.evaluate`.

| part | words | sentences | UPOS | UAS | LAS | lemmas |
| --- | --- | --- | --- | --- | --- | --- |
{rows}
"""


def ship(nlp: Language, out: Path, *, treebank: Path, recipe: str) -> Scores:
    """Save ``nlp`` in ``out`` with its notices, and return its scores on the treebank's dev and test parts.

    ``recipe`` is the training command's options. The string store keeps labels, the tokeniser's rules and the
    lemmatiser's edits, and no other string seen in training: a treebank of e-mail and web pages holds names and
    addresses. Raises :class:`LanguageError` when the treebank's licence is not beside it.
    """
    licence = licence_of(treebank)
    prune_edit_trees(nlp.get_pipe("trainable_lemmatizer"))
    parts = [part for part in ("dev", "test") if (treebank / f"{part}.conllu").is_file()]
    scores = {part: evaluate(nlp, read_paragraphs(treebank / f"{part}.conllu")) for part in parts}
    nlp.meta.update(_meta(scores))
    nlp.to_disk(out)
    _clean_vocabulary(nlp).to_disk(out / "vocab")
    (out / "NOTICE.md").write_text(_notice(scores, recipe), encoding="utf-8")
    (out / "scores.json").write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(licence, out / "LICENSE")
    return scores


def licence_of(treebank: Path) -> Path:
    """The treebank's licence file, under which a pipeline made of it is shipped."""
    licence = treebank / "LICENSE.txt"
    if not licence.is_file():
        raise LanguageError(f"no {licence}: the pipeline is shipped under the treebank's licence; put its text there")
    return licence


def prune_edit_trees(lemmatizer: EditTreeLemmatizer) -> None:
    """Drop, in place, every edit tree that no label reaches; spaCy keeps one for each rare pair it met.

    Labels that only take the capitals from a word spelt out in them would leave names behind ("EVANS" to "Evans");
    they come to leave the word as it is.
    """
    trees = [lemmatizer.trees[index] for index in range(len(lemmatizer.trees))]
    strings = lemmatizer.vocab.strings
    labels = [UNCHANGED if _spells_out(trees, label, strings) else label for label in lemmatizer.cfg["labels"]]
    kept = sorted(_reachable(trees, labels))
    places = {old: new for new, old in enumerate(kept, start=1)} | {NO_TREE: NO_TREE, UNCHANGED: 0}
    lemmatizer.trees.from_json([IDENTITY, *(_moved(trees[old], places) for old in kept)])
    lemmatizer.cfg["labels"] = [places[label] for label in labels]
    lemmatizer.tree2label = {tree: label for label, tree in enumerate(lemmatizer.cfg["labels"])}


def _spells_out(trees: list[dict[str, int]], label: int, strings: Any) -> bool:
    """Whether the label's tree holds an edit of four or more letters that changes nothing but their case."""
    edits = [trees[index] for index in _reachable(trees, [label]) if "orig" in trees[index]]
    pairs = [(strings[edit["orig"]], strings[edit["subst"]]) for edit in edits]
    return any(len(old) >= SHORTEST_NAME and old.lower() == new.lower() for old, new in pairs)


def _reachable(trees: list[dict[str, int]], labels: Iterable[int]) -> set[int]:
    reached: set[int] = set()
    stack = list(labels)
    while stack:
        index = stack.pop()
        if index not in (NO_TREE, UNCHANGED) and index not in reached:
            reached.add(index)
            stack += [trees[index][side] for side in ("prefix_tree", "suffix_tree") if side in trees[index]]
    return reached


def _moved(tree: dict[str, int], places: dict[int, int]) -> dict[str, int]:
    return {key: places[value] if key.endswith("_tree") else value for key, value in tree.items()}


def _clean_vocabulary(nlp: Language) -> Any:
    """A vocabulary with the strings that the pipeline needs to run, and no other."""
    clean = spacy.blank("en")
    adapt_tokenizer(clean)
    lemmatizer = nlp.get_pipe("trainable_lemmatizer")
    needed = {label for labels in nlp.pipe_labels.values() for label in labels if isinstance(label, str)}
    for index in range(len(lemmatizer.trees)):
        tree = lemmatizer.trees[index]
        needed |= {nlp.vocab.strings[tree[side]] for side in ("orig", "subst") if side in tree}
    for string in sorted(needed):
        clean.vocab.strings.add(string)
    return clean.vocab


def _meta(scores: Scores) -> dict[str, Any]:
    return {
        "description": "Words, UPOS tags, lemmas and UD relations of English captions",
        "author": "The Attest contributors",
        "license": "CC BY-SA 4.0",
        "sources": [{"name": TREEBANK, "url": TREEBANK_URL, "license": "CC BY-SA 4.0", "author": ", ".join(AUTHORS)}],
        "performance": scores,
    }


def _notice(scores: Scores, recipe: str) -> str:
    rows = "\n".join(_row(part, values) for part, values in scores.items())
    return NOTICE.format(treebank=TREEBANK, url=TREEBANK_URL, authors=",\n  ".join(AUTHORS), recipe=recipe, rows=rows)


def _row(part: str, values: dict[str, float]) -> str:
    columns = ("words", "sentences", "upos", "uas", "las", "lemma")
    return f"| {part} | " + " | ".join(f"{values[column]:.2f}" for column in columns) + " |"
