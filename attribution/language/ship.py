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

from attribution.language.tokenizer import adapt_tokenizer

NO_TREE = 2**32 - 1  # how spaCy's edit trees write "no child"
TREEBANK = "Universal Dependencies English Web Treebank (UD English EWT)"
TREEBANK_URL = "https://universaldependencies.org/treebanks/en_ewt/"
AUTHORS = (
    "Natalia Silveira, Timothy Dozat, Christopher Manning, Sebastian Schuster, Ethan Chi, John Bauer, Miriam Connor, "
    "Marie-Catherine de Marneffe, Nathan Schneider, Sam Bowman, Hanzhi Zhu, Daniel Galbraith"
)

NOTICE = """# Language pipeline for English captions

A spaCy pipeline: words, Universal POS tags, lemmas and Universal Dependencies relations. It is a work derived from
a treebank and **is not under the licence of the project's code**.

- Licence: Creative Commons Attribution-ShareAlike 4.0 International (CC BY-SA 4.0). The full text is in `LICENSE`.
- Derived from: {treebank}, {url}
- Its authors: {authors}. Annotations copyright by The Board of Trustees of The Leland Stanford Junior University,
  licensed under CC BY-SA 4.0.
- Changes made: weights were trained on the treebank's training part, with noun phrases cut out and capitals taken away
  as augmentation; nothing of the treebank's text is stored beside the ends of words that the lemmatizer exchanges.
- Made by: `python -m attribution.language.train --treebank DIR --out DIR --steps {steps} --seed {seed}`

## Scores

F1 in percent on the treebank's raw text (own tokeniser, aligned as at CoNLL 2018), as printed by
`python -m attribution.language.evaluate`.

| part | words | sentences | UPOS | UAS | LAS | lemmas |
| --- | --- | --- | --- | --- | --- | --- |
{rows}
"""


def ship(
    nlp: Language, out: Path, *, scores: dict[str, dict[str, float]], steps: int, seed: int, licence: Path
) -> None:
    """Save ``nlp`` in ``out`` with its notice; ``licence`` is the treebank's licence file.

    The string store keeps labels, the tokeniser's rules and the lemmatiser's edits, and no other string seen in
    training: a treebank of e-mail and web pages holds names and addresses.
    """
    prune_edit_trees(nlp.get_pipe("trainable_lemmatizer"))
    nlp.meta.update(_meta(scores))
    nlp.to_disk(out)
    _clean_vocabulary(nlp).to_disk(out / "vocab")
    rows = "\n".join(_row(part, values) for part, values in scores.items())
    notice = NOTICE.format(treebank=TREEBANK, url=TREEBANK_URL, authors=AUTHORS, steps=steps, seed=seed, rows=rows)
    (out / "NOTICE.md").write_text(notice, encoding="utf-8")
    (out / "scores.json").write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(licence, out / "LICENSE")


def prune_edit_trees(lemmatizer: EditTreeLemmatizer) -> None:
    """Drop, in place, every edit tree that no label reaches; spaCy keeps one for each rare pair it met."""
    trees = [lemmatizer.trees[index] for index in range(len(lemmatizer.trees))]
    labels = lemmatizer.cfg["labels"]
    kept = sorted(_reachable(trees, labels))
    places = {old: new for new, old in enumerate(kept)} | {NO_TREE: NO_TREE}
    lemmatizer.trees.from_json([_moved(trees[old], places) for old in kept])
    lemmatizer.cfg["labels"] = [places[label] for label in labels]
    lemmatizer.tree2label = {tree: label for label, tree in enumerate(lemmatizer.cfg["labels"])}


def _reachable(trees: list[dict[str, int]], labels: Iterable[int]) -> set[int]:
    reached: set[int] = set()
    stack = list(labels)
    while stack:
        index = stack.pop()
        if index != NO_TREE and index not in reached:
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


def _meta(scores: dict[str, dict[str, float]]) -> dict[str, Any]:
    return {
        "description": "Words, UPOS tags, lemmas and UD relations of English captions",
        "author": "The Attest contributors",
        "license": "CC BY-SA 4.0",
        "sources": [{"name": TREEBANK, "url": TREEBANK_URL, "license": "CC BY-SA 4.0", "author": AUTHORS}],
        "performance": scores,
    }


def _row(part: str, values: dict[str, float]) -> str:
    columns = ("words", "sentences", "upos", "uas", "las", "lemma")
    return f"| {part} | " + " | ".join(f"{values[column]:.2f}" for column in columns) + " |"
