"""Captions into words: character offsets, Universal POS tags, lemmas, heads, Universal Dependencies relations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING

from attribution.errors import LanguageError
from attribution.language.captions import Caption
from attribution.language.casing import truecased
from attribution.records import Prompt, Word

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Token

SHIPPED = Path(__file__).resolve().parents[2] / "fixtures" / "language"
PROBE = "The two old dogs were quickly running to a red ball."

# universaldependencies.org/u/dep: version 2 of the guidelines, without subtypes.
# fmt: off
RELATIONS = frozenset({
    "acl", "advcl", "advmod", "amod", "appos", "aux", "case", "cc", "ccomp", "clf", "compound", "conj", "cop", "csubj",
    "dep", "det", "discourse", "dislocated", "expl", "fixed", "flat", "goeswith", "iobj", "list", "mark", "nmod",
    "nsubj", "nummod", "obj", "obl", "orphan", "parataxis", "punct", "reparandum", "root", "vocative", "xcomp",
})
# fmt: on
NEEDED = frozenset({"root", "nsubj", "obj", "obl", "nmod", "amod", "det", "case", "conj", "cc"})


class Parser:
    """A language pipeline that reads captions; made by :func:`load_parser`.

    ``name`` and ``version`` identify the pipeline in records of what was parsed.
    """

    def __init__(self, nlp: Language) -> None:
        self._nlp = nlp
        self.name = f"{nlp.meta['lang']}_{nlp.meta['name']}"
        self.version = str(nlp.meta["version"])

    def parse(self, texts: Iterable[str], batch_size: int = 256) -> Iterator[Prompt]:
        """One :class:`Prompt` for each text, in order, its words' offsets into the text as given.

        Tokens of white space are no words. Captions in capitals are read as if they were not.
        """
        originals, read = tee(texts)
        docs = self._nlp.pipe((truecased(text) for text in read), batch_size=batch_size)
        for text, doc in zip(originals, docs, strict=True):
            yield Prompt(text, _words(text, doc))

    def parse_captions(self, captions: Iterable[Caption], batch_size: int = 256) -> Iterator[Prompt]:
        """As :meth:`parse`, with each caption's ``source_id`` kept."""
        originals, read = tee(captions)
        prompts = self.parse((caption.text for caption in read), batch_size)
        for caption, prompt in zip(originals, prompts, strict=True):
            yield Prompt(prompt.text, prompt.words, caption.source_id)


def load_parser(name_or_folder: str | Path | None = None) -> Parser:
    """The shipped pipeline, or any installed spaCy pipeline or folder that gives a UD analysis.

    Raises :class:`LanguageError` when it cannot be loaded, or naming what it lacks: Universal POS tags, lemmas,
    or the relations of Universal Dependencies.
    """
    name = str(name_or_folder or SHIPPED)
    nlp = _load(name)
    probe = nlp(PROBE)
    _check_annotations(probe, name)
    _check_relations(nlp, probe, name)
    return Parser(nlp)


def _load(name: str) -> Language:
    import spacy

    try:
        return spacy.load(name)
    except (OSError, ValueError, KeyError) as error:
        if name == str(SHIPPED):
            remedy = "make it again with python -m attribution.language.train"
        else:
            remedy = "give the name of an installed spaCy pipeline or the folder of one"
        raise LanguageError(f"cannot load the language pipeline {name!r}: {error}; {remedy}") from error


def _check_annotations(probe: Doc, name: str) -> None:
    missing = {
        "Universal POS tags (a morphologizer, or a tagger with an attribute_ruler)": probe.has_annotation("POS"),
        "dependency parse (a parser)": probe.has_annotation("DEP"),
        "lemmas (a lemmatizer or trainable_lemmatizer)": any(token.lemma_ for token in probe),
    }
    lacking = [what for what, present in missing.items() if not present]
    if lacking:
        raise LanguageError(
            f"the language pipeline {name!r} gives no {', no '.join(lacking)}; "
            "use a pipeline with these components, or leave the setting empty for the shipped one"
        )


def _check_relations(nlp: Language, probe: Doc, name: str) -> None:
    declared = {_universal(label) for label in nlp.pipe_labels.get("parser", ())}
    # A parser that does not tell its labels is judged by what it gave the probe.
    foreign = (declared or {_universal(token.dep_) for token in probe}) - RELATIONS
    absent = NEEDED - declared if declared else set()
    if foreign or absent:
        raise LanguageError(
            f"the language pipeline {name!r} does not give Universal Dependencies: "
            f"missing relations [{', '.join(sorted(absent))}], foreign relations [{', '.join(sorted(foreign))}]; "
            "use a pipeline trained on a UD treebank, or leave the setting empty for the shipped one"
        )


def _words(text: str, doc: Doc) -> tuple[Word, ...]:
    tokens = [token for token in doc if not token.is_space]
    places = {token.i: place for place, token in enumerate(tokens)}
    return tuple(_word(text, token, places) for token in tokens)


def _word(text: str, token: Token, places: dict[int, int]) -> Word:
    start, end = token.idx, token.idx + len(token.text)
    head = token.head
    # White space hangs on a word and never governs one; should a pipeline disagree, its word is a root.
    head_place = places.get(head.i, places[token.i])
    return Word(text[start:end], start, end, token.pos_, token.lemma_, head_place, _relation(token.dep_))


def _relation(label: str) -> str:
    return "root" if label == "ROOT" else label


def _universal(label: str) -> str:
    return label.lower().partition(":")[0]
