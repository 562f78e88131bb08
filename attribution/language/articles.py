"""``a`` or ``an``: by the sound that a word starts with, which its letters mostly tell."""

from __future__ import annotations

import re
from typing import Final

#: Words, by their starts, whose first letter is not their first sound.
_SILENT_H: Final = ("heir", "honest", "honor", "honour", "hour")
_LIKE_YOU: Final = re.compile(r"(?:eu|ewe|one(?![a-z])|once|u(?:ni(?!n|m)|s[aeiu]|ti|k[aeu]|rin|bi)|ut[eo])")
#: Letters whose names start with a vowel, for words spelt out: "an SUV".
_SPELT: Final = frozenset("AEFHILMNORSX")


def article(word: str) -> str:
    """The indefinite article before ``word``: "a" or "an"."""
    if len(word) > 1 and word.isupper() and word.isalpha():
        return "an" if word[0] in _SPELT else "a"
    if word[:1].isdigit():
        return "an" if word.startswith("8") or re.match(r"1[18](?!\d)", word) else "a"
    lower = word.lower()
    if lower.startswith(_SILENT_H):
        return "an"
    return "an" if lower[:1] in set("aeiou") and not _LIKE_YOU.match(lower) else "a"


def phrase(noun: str) -> str:
    """``noun`` with its article."""
    return f"{article(noun)} {noun}"
