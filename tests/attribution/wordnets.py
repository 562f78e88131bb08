"""A WordNet database of three nouns, in WordNet's own files."""

from __future__ import annotations

from pathlib import Path


def write_wordnet(folder: Path) -> None:
    """``index.noun`` and ``data.noun`` in which saws and axes are tools."""
    text, offsets = "", {}
    for word in ("tool", "saw", "axe"):
        offsets[word] = len(text)
        above = "000" if word == "tool" else f"001 @ {offsets['tool']:08} n 0000"
        text += f"{len(text):08} 06 n 01 {word} 0 {above} | a gloss\n"
    (folder / "data.noun").write_text(text)
    (folder / "index.noun").write_text("".join(f"{word} n 1 1 @ 1 0 {place:08}\n" for word, place in offsets.items()))
