"""Reading a treebank in CoNLL-U (https://universaldependencies.org/format.html)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from attribution.errors import LanguageError

COLUMNS = 10


@dataclass(frozen=True, slots=True)
class GoldWord:
    """One syntactic word. ``head`` is an index into its sentence; the root is its own head.

    ``space`` says whether white space follows the word in the raw text.
    """

    form: str
    lemma: str
    tag: str
    fine_tag: str
    head: int
    relation: str
    space: bool


Sentence = tuple[GoldWord, ...]
Paragraph = tuple[Sentence, ...]


def read_paragraphs(path: Path | str) -> list[Paragraph]:
    """The paragraphs of a CoNLL-U file in order; a file without paragraph marks is one paragraph a sentence.

    Empty nodes (``5.1``) are left out; multi-word tokens must be the concatenation of their words, as they
    are in English. Raises :class:`LanguageError` naming the file and the line of anything else.
    """
    paragraphs: list[list[Sentence]] = []
    marked = False
    for opens, sentence in _sentences(Path(path)):
        marked = marked or opens
        if opens or not marked or not paragraphs:
            paragraphs.append([])
        paragraphs[-1].append(sentence)
    if not paragraphs:
        raise LanguageError(f"{path}: no sentence found; give a treebank file in CoNLL-U")
    return [tuple(paragraph) for paragraph in paragraphs]


def _sentences(path: Path) -> Iterator[tuple[bool, Sentence]]:
    """Each sentence, and whether a paragraph or document opens with it."""
    opens, rows = False, list[tuple[int, list[str]]]()
    for number, line in enumerate([*_lines(path), ""], start=1):
        if line.startswith("#"):
            opens = opens or line.startswith(("# newpar", "# newdoc"))
        elif line:
            rows.append((number, _columns(line, path, number)))
        elif rows:
            yield opens, _sentence(rows, path)
            opens, rows = False, []


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise LanguageError(f"cannot read the treebank file {path}: {error.strerror}; check --treebank") from error
    except UnicodeDecodeError as error:
        raise LanguageError(f"{path}: byte {error.start} is not UTF-8; CoNLL-U files are UTF-8") from error


def _columns(line: str, path: Path, number: int) -> list[str]:
    columns = line.rstrip("\r").split("\t")
    if len(columns) != COLUMNS:
        raise LanguageError(f"{path}, line {number}: {len(columns)} columns where CoNLL-U has {COLUMNS} between tabs")
    return columns


def _sentence(rows: Iterable[tuple[int, list[str]]], path: Path) -> Sentence:
    words: list[GoldWord] = []
    token_end, token_form, token_space = 0, "", True
    for number, columns in rows:
        name = columns[0]
        if "." in name:
            continue
        space = "SpaceAfter=No" not in columns[9].split("|")
        if "-" in name:
            token_end, token_form, token_space = int(name.partition("-")[2]), columns[1], space
            continue
        word = _word(columns, space, path, number)
        if len(words) < token_end:
            token_form = _rest(token_form, word.form, path, number)
            word = replace(word, space=token_space and len(words) + 1 == token_end)
        words.append(word)
    return tuple(words)


def _word(columns: list[str], space: bool, path: Path, number: int) -> GoldWord:
    _, form, lemma, tag, fine_tag, _, head, relation, _, _ = columns
    if not head.isdigit():
        raise LanguageError(f"{path}, line {number}: head {head!r} is not a word number; give a parsed treebank")
    index = int(columns[0]) - 1
    return GoldWord(form, lemma, tag, fine_tag, int(head) - 1 if int(head) else index, relation, space)


def _rest(token: str, form: str, path: Path, number: int) -> str:
    if not token.startswith(form):
        raise LanguageError(
            f"{path}, line {number}: the word {form!r} is no part of its token, of which {token!r} is left; "
            "only treebanks whose multi-word tokens are their words written together can be used"
        )
    return token[len(form) :]


def paragraph_text(paragraph: Paragraph) -> str:
    """The raw text of a paragraph, one space wherever white space followed a word."""
    return "".join(word.form + (" " if word.space else "") for sentence in paragraph for word in sentence).rstrip()
