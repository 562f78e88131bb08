"""An ontology from a local WordNet database: the files ``index.noun`` and ``data.noun`` (format: wndb(5WN), Princeton).

A noun's first sense counts. Its group is the lowest of its hypernyms that stands above another noun of the list too, if
that is at most ``reach`` steps up; so which nouns are cohyponyms depends on the list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from attribution.errors import AnalysisError
from attribution.ontology import Ontology

HYPERNYMS: Final = ("@", "@i")
REACH: Final = 3


@dataclass(frozen=True, slots=True)
class Synset:
    """A sense: its words, the first one its name, and where its hypernyms stand in ``data.noun``."""

    offset: int
    words: tuple[str, ...]
    hypernyms: tuple[int, ...]


class WordNet:
    """Reads senses from a database folder, such as ``dict`` of WordNet 3.0 or NLTK's ``corpora/wordnet``."""

    def __init__(self, folder: Path) -> None:
        self._index, self._data = folder / "index.noun", folder / "data.noun"
        missing = [str(path) for path in (self._index, self._data) if not path.is_file()]
        if missing:
            raise AnalysisError(f"no WordNet database in {folder}: {', '.join(missing)} missing; give its dict folder")

    def first_senses(self, nouns: Iterable[str]) -> dict[str, int]:
        """Where the first sense of each noun stands in ``data.noun``; nouns that WordNet does not have are left out."""
        wanted = {noun.lower().replace(" ", "_"): noun for noun in nouns}
        found = {}
        with self._index.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                lemma, _, rest = line.partition(" ")
                if lemma in wanted:
                    found[wanted[lemma]] = _first_offset(rest, f"{self._index}, line {number}")
        return found

    def synset(self, offset: int) -> Synset:
        """The sense at a byte offset of ``data.noun``."""
        with self._data.open("rb") as file:
            file.seek(offset)
            line = file.readline().decode("utf-8")
        return _synset(line, offset, f"{self._data}, byte {offset}")

    def chain(self, offset: int) -> list[Synset]:
        """A sense and all above it, by the first hypernym of each, up to the root."""
        chain = [self.synset(offset)]
        while chain[-1].hypernyms and len(chain) < 64:
            chain.append(self.synset(chain[-1].hypernyms[0]))
        return chain


def ontology_of(nouns: Sequence[str], folder: Path, reach: int = REACH) -> Ontology:
    """Groups of ``nouns`` by their lowest shared hypernym; nouns that share none within ``reach`` are in no group.

    Raises AnalysisError naming the nouns that the database does not have, and when the folder holds no database.
    """
    database = WordNet(folder)
    senses = database.first_senses(nouns)
    unknown = [noun for noun in nouns if noun not in senses]
    if unknown:
        raise AnalysisError(f"WordNet has no noun {', '.join(unknown)}: leave them out, or spell them as it does")
    chains = {noun: database.chain(senses[noun])[1:] for noun in nouns}
    above: dict[int, set[str]] = defaultdict(set)
    for noun, chain in chains.items():
        for synset in chain[:reach]:
            above[synset.offset].add(noun)
    groups: dict[str, list[str]] = defaultdict(list)
    hypernyms = {}
    for noun, chain in chains.items():
        shared = next((at for at, synset in enumerate(chain[:reach]) if len(above[synset.offset]) > 1), None)
        if shared is not None:
            name = f"{_name(chain[shared])}.{chain[shared].offset:08}"
            groups[name].append(noun)
            hypernyms[name] = tuple(_name(synset) for synset in chain[shared + 1 :])
    several = {name: tuple(found) for name, found in groups.items() if len(found) > 1}
    return Ontology(several, {name: hypernyms[name] for name in several})


def _first_offset(rest: str, place: str) -> int:
    """From ``pos synset_cnt p_cnt [symbol...] sense_cnt tagsense_cnt offset...``."""
    try:
        fields = rest.split()
        return int(fields[3 + int(fields[2]) + 2])
    except (ValueError, IndexError) as error:
        raise AnalysisError(f"{place}: not a line of WordNet's index ({error})") from error


def _synset(line: str, offset: int, place: str) -> Synset:
    """From ``offset lex_filenum ss_type w_cnt (word lex_id)... p_cnt (symbol offset pos source)... | gloss``."""
    try:
        fields = line.partition(" | ")[0].split()
        if int(fields[0]) != offset:
            raise ValueError(f"it starts with {fields[0]}")
        end = 4 + 2 * int(fields[3], 16)
        pointers = fields[end + 1 : end + 1 + 4 * int(fields[end])]
        above = [int(pointers[at + 1]) for at in range(0, len(pointers), 4) if pointers[at] in HYPERNYMS]
        return Synset(offset, tuple(fields[4:end:2]), tuple(above))
    except (ValueError, IndexError) as error:
        raise AnalysisError(f"{place}: not a line of WordNet's data ({error})") from error


def _name(synset: Synset) -> str:
    return synset.words[0].replace("_", " ")
