"""How a caption uses capitals, and taking away those that tell nothing. Every length is preserved."""

from __future__ import annotations

from typing import Literal

Casing = Literal["normal", "lower", "upper", "title"]

MOSTLY = 0.6
SHORTEST_TITLE = 3


def casing(text: str) -> Casing:
    """``upper`` and ``title`` when at least 60% of the letters, or of the words after the first, are raised.

    ``lower`` has no capital; every other text is ``normal``. A text of fewer than four words is never ``title``.
    """
    letters = [character for character in text if character.isalpha()]
    raised = sum(character.isupper() for character in letters)
    if not raised:
        return "lower"
    if len(letters) > 1 and raised >= MOSTLY * len(letters):
        return "upper"
    later = [word for word in text.split()[1:] if word[0].isalpha()]
    capitals = sum(word[0].isupper() for word in later)
    return "title" if len(later) >= SHORTEST_TITLE and capitals >= MOSTLY * len(later) else "normal"


def truecased(text: str) -> str:
    """The text for a parser to read: ALL CAPS and Title Case lowered, the rest as it is.

    The result is as long as ``text``, character by character, so that offsets hold for both.
    """
    if casing(text) in ("upper", "title"):
        return "".join(_lower(character) for character in text)
    return text


def _lower(character: str) -> str:
    lowered = character.lower()
    return lowered if len(lowered) == 1 else character
