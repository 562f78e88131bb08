"""The manifest: a JSON object a line, each an image with a word of its prompt and that word's maps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from annotation_site.studies.models import Item, Study
from attribution.maps.alignment import occurrences

TAGS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"),
    *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
)
UNTAGGED = "X"
ROWS = 50_000
METHODS = 12
TEXTS = {"model": 200, "note": 1000, "seed": 40}
FIELDS = {"prompt", "image", "maps", "condition", *TEXTS}
FIELDS |= {f"{which}{name}" for which in ("", "second_") for name in ("word", "occurrence", "start", "end", "tag")}


class RowRefused(Exception):
    """A row cannot be imported; the message names the value, the reason and the remedy."""


@dataclass(frozen=True)
class Target:
    """A word of the prompt, by its characters; ``tag`` is X where the manifest names none."""

    start: int
    end: int
    tag: str


@dataclass(frozen=True)
class Row:
    """A line of the manifest. ``maps`` are paths by method, where ``path#array`` names an array of an ``.npz``."""

    line: int
    prompt: str
    image: str
    target: Target
    second: Target | None = None
    maps: dict[str, str] = field(default_factory=dict)
    condition: str = ""
    model: str = ""
    seed: str = ""
    note: str = ""


def lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that say something, numbered from 1."""
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            yield number, line


def parsed(line: int, content: bytes, kind: str) -> Row:
    """A line as a row of a study of that kind; raises RowRefused."""
    try:
        fields = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RowRefused(f"it is not JSON in UTF-8 ({str(error)[:100]}): write one object a line") from error
    if not isinstance(fields, dict):
        raise RowRefused(f"{str(fields)[:60]!r} is no object: write {{...}}")
    unknown = sorted(set(fields) - FIELDS)
    if unknown:
        raise RowRefused(f"field {unknown[0][:40]!r} is not known: choose from {', '.join(sorted(FIELDS))}")
    prompt = _text(fields, "prompt", 2000, needed=True)
    presence = kind == Study.Kind.PRESENCE
    target = _target(fields, "", prompt)
    second = _target(fields, "second_", prompt) if presence else None
    if second and target.start < second.end and second.start < target.end:
        raise RowRefused("the two words overlap: name two different words of the prompt")
    return Row(
        line=line,
        prompt=prompt,
        image=_text(fields, "image", 500, needed=True),
        target=target,
        second=second,
        maps={} if presence else _maps(fields),
        condition=_condition(fields) if presence else "",
        **{name: _text(fields, name, most) for name, most in TEXTS.items()},
    )


def _text(fields: dict[str, Any], name: str, most: int, *, needed: bool = False) -> str:
    value = fields.get(name, "")
    if name == "seed" and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:
        value = str(value)
    if not isinstance(value, str):
        raise RowRefused(f"field {name!r} is {_shown(value)}: write a text")
    if "\0" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise RowRefused(f"field {name!r} holds characters that no text has: remove them")
    if len(value) > most:
        raise RowRefused(f"field {name!r} has {len(value)} characters: at most {most} are kept")
    if needed and not value.strip():
        raise RowRefused(f"field {name!r} is missing or empty: every row needs it")
    return value


def _shown(value: object) -> str:
    return repr(str(value)[:40])


def _target(fields: dict[str, Any], which: str, prompt: str) -> Target:
    start, end = _place(fields, which, prompt)
    tag = fields.get(f"{which}tag", UNTAGGED)
    if tag not in TAGS:
        raise RowRefused(f"field '{which}tag' is {_shown(tag)}: choose from {', '.join(TAGS)}")
    if end - start > 200:
        raise RowRefused(f"the word at {start}-{end} is longer than 200 characters")
    return Target(start, end, tag)


def _place(fields: dict[str, Any], which: str, prompt: str) -> tuple[int, int]:
    start, end = fields.get(f"{which}start"), fields.get(f"{which}end")
    if start is not None or end is not None:
        whole = all(isinstance(each, int) and not isinstance(each, bool) for each in (start, end))
        if (
            not whole
            or start is None
            or end is None
            or not 0 <= start < end <= len(prompt)
            or not prompt[start:end].strip()
        ):
            raise RowRefused(f"{which}start {_shown(start)} and {which}end {_shown(end)} mark no word of the prompt")
        word = fields.get(f"{which}word", prompt[start:end])
        if word != prompt[start:end]:
            raise RowRefused(f"{which}word is {_shown(word)}, but {start}-{end} is {prompt[start:end][:40]!r}")
        return start, end
    word = _text(fields, f"{which}word", 200, needed=True)
    places, wanted = occurrences(prompt, word), fields.get(f"{which}occurrence")
    if wanted is None and len(places) > 1:
        raise RowRefused(f"{word[:40]!r} stands {len(places)} times in the prompt: add '{which}occurrence', from 1")
    wanted = 1 if wanted is None else wanted
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not 1 <= wanted <= len(places):
        raise RowRefused(
            f"there is no occurrence {_shown(wanted)} of {word[:40]!r} in the prompt, where it stands as a whole word "
            f"{len(places)} times: mind capitals, or give '{which}start' and '{which}end'"
        )
    return places[wanted - 1]


def _maps(fields: dict[str, Any]) -> dict[str, str]:
    maps = fields.get("maps")
    if not isinstance(maps, dict) or not 1 <= len(maps) <= METHODS:
        raise RowRefused(f"field 'maps' is {_shown(maps)}: write {{method: path}}, with 1 to {METHODS} methods")
    for method, path in maps.items():
        if not 1 <= len(method.strip()) <= 40 or "\0" in method or not method.isprintable():
            raise RowRefused(f"method {_shown(method)} is no name: write 1 to 40 characters")
        _text({"maps": path}, "maps", 500, needed=True)
    return {method.strip(): str(path) for method, path in maps.items()}


def _condition(fields: dict[str, Any]) -> str:
    condition = fields.get("condition", "")
    if condition not in Item.Condition.values:
        raise RowRefused(f"field 'condition' is {_shown(condition)}: cohyponyms, non-cohyponyms, or leave it out")
    return str(condition)
