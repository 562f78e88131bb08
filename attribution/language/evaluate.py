"""Scores of a language pipeline on a treebank's raw text, end to end.

The measure is that of the CoNLL 2018 shared task (Zeman et al., 2018, section 5): the system gets plain text,
paragraph by paragraph, and its words are aligned with the gold words that cover the same characters. Each score is
the F1 of right words over system words and gold words, so that a mistake of the tokeniser counts on both sides.
Relations are compared without their subtypes (``nmod:poss`` counts as ``nmod``).

``python -m attribution.language.evaluate --treebank FILE`` prints the scores as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from attribution.language.conllu import Paragraph, paragraph_text, read_paragraphs

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

SHIPPED = Path(__file__).resolve().parents[2] / "fixtures" / "language"

Span = tuple[int, int]
ROOT_SPAN: Span = (-1, -1)


@dataclass(frozen=True, slots=True)
class Analysed:
    """A word as scored: ``span`` and ``head`` (its head's span) count characters other than white space."""

    span: Span
    tag: str
    lemma: str
    head: Span
    relation: str


def evaluate(nlp: Language, paragraphs: list[Paragraph]) -> dict[str, float]:
    """Scores of ``nlp`` in percent: ``words``, ``sentences``, ``upos``, ``uas``, ``las``, ``lemma``."""
    docs = nlp.pipe([paragraph_text(paragraph) for paragraph in paragraphs], batch_size=64)
    totals: dict[str, list[int]] = {}
    for paragraph, doc in zip(paragraphs, docs, strict=True):
        for name, counts in _counts(paragraph, doc).items():
            total = totals.setdefault(name, [0, 0, 0])
            totals[name] = [old + new for old, new in zip(total, counts, strict=True)]
    return {name: f1(*total) for name, total in totals.items()}


def f1(right: int, system: int, gold: int) -> float:
    """F1 in percent, to two places, of ``right`` hits among ``system`` and ``gold`` units."""
    return round(200 * right / (system + gold), 2) if system + gold else 0.0


def _counts(paragraph: Paragraph, doc: Doc) -> dict[str, tuple[int, int, int]]:
    """For each score: right units, the system's units, gold units."""
    gold, system = gold_words(paragraph), system_words(doc)
    by_span = {word.span: word for word in gold}
    pairs = [(word, by_span[word.span]) for word in system if word.span in by_span]
    right = {
        "words": len(pairs),
        "upos": sum(ours.tag == theirs.tag for ours, theirs in pairs),
        "uas": sum(ours.head == theirs.head for ours, theirs in pairs),
        "las": sum((ours.head, ours.relation) == (theirs.head, theirs.relation) for ours, theirs in pairs),
        "lemma": sum(theirs.lemma in (ours.lemma, "_") for ours, theirs in pairs),
    }
    counts = {name: (number, len(system), len(gold)) for name, number in right.items()}
    ours = set(_spans(_visible(sentence.text) for sentence in doc.sents))
    theirs = set(_spans("".join(word.form for word in sentence) for sentence in paragraph))
    return counts | {"sentences": (len(ours & theirs), len(ours), len(theirs))}


def gold_words(paragraph: Paragraph) -> list[Analysed]:
    """The treebank's words, their spans counted over the whole paragraph."""
    spans = _spans(_visible(word.form) for sentence in paragraph for word in sentence)
    analysed: list[Analysed] = []
    for sentence in paragraph:
        first = len(analysed)
        for index, word in enumerate(sentence):
            head = ROOT_SPAN if word.head == index else spans[first + word.head]
            analysed.append(Analysed(spans[first + index], word.tag, word.lemma, head, _universal(word.relation)))
    return analysed


def system_words(doc: Doc) -> list[Analysed]:
    """The pipeline's words; tokens of white space are none."""
    spans = _spans(_visible(token.text) for token in doc)
    return [
        Analysed(
            spans[token.i],
            token.pos_,
            token.lemma_,
            ROOT_SPAN if token.head.i == token.i else spans[token.head.i],
            _universal(token.dep_),
        )
        for token in doc
        if not token.is_space
    ]


def _spans(pieces: Iterable[str]) -> list[Span]:
    ends = list(accumulate((len(piece) for piece in pieces), initial=0))
    return list(pairwise(ends))


def _visible(text: str) -> str:
    return "".join(text.split())


def _universal(relation: str) -> str:
    return relation.lower().partition(":")[0]


def main(arguments: Iterable[str] | None = None) -> int:
    import spacy

    parser = argparse.ArgumentParser(prog="python -m attribution.language.evaluate", description=__doc__)
    parser.add_argument("--treebank", type=Path, required=True, help="a CoNLL-U file, for example test.conllu")
    parser.add_argument("--pipeline", default=str(SHIPPED), help="folder or installed name (default: the shipped one)")
    options = parser.parse_args(None if arguments is None else list(arguments))
    scores = evaluate(spacy.load(options.pipeline), read_paragraphs(options.treebank))
    print(json.dumps(scores, indent=2))  # noqa: T201 - a command's output
    return 0


if __name__ == "__main__":
    sys.exit(main())
