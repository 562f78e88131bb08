"""The evaluation's result as two Markdown tables."""

from __future__ import annotations

from typing import Any, Final

_PICTURES: Final = ("shape", "colour", "shape and colour", "count", "ground", "all right")
_MAPS: Final = (
    "DAAM 0.3",
    "DAAM 0.4",
    "DAAM 0.5",
    "whole image",
    "centred box",
    "another word 0.4",
    "own thing densest",
)


def as_text(result: dict[str, Any]) -> str:
    """Both tables; shares and means with their 95% intervals."""
    pictures = _table(("source", "captions", "images", *_PICTURES), result["pictures"])
    maps = _table(("source", "kind", "words", *_MAPS), result["maps"])
    return f"{pictures}\n\n{maps}"


def _table(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *(tuple(_cell(row[name]) for name in columns) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict) and value["low"] is None:
        return f"{value['value']:.2f}"
    if isinstance(value, dict):
        return f"{value['value']:.2f} ({value['low']:.2f} to {value['high']:.2f})"
    return str(value)
