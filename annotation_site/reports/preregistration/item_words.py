"""A difference of one item in words: added, deleted, withdrawn, or drawn and asked otherwise."""

from __future__ import annotations

from typing import Any

from annotation_site.reports.preregistration.comparing import Content, Difference
from annotation_site.reports.preregistration.labels import FIELDS, shown

HASH = 12


def of_item(difference: Difference, known: Content, before: Content, now: Content) -> tuple[str, str, str]:
    """Which item (``known`` as it was, or is), what was registered of it, and what is now."""
    subject = f"Item {difference.name}, “{known['word']}” in “{known['prompt']}”"
    if difference.registered is None:
        return subject, "not in the study", f"added{_purpose(known)}"
    if difference.now is None:
        return subject, f"in the study{_purpose(known)}", "deleted"
    return subject, _said(difference.registered, before), _said(difference.now, now)


def _purpose(item: Content) -> str:
    return f" ({item['purpose']})" if item.get("purpose") else ""


def _said(parts: Content, content: Content) -> str:
    return "; ".join(_part(name, value, content) for name, value in parts.items())


def _part(name: str, value: Any, content: Content) -> str:
    if name == "withdrawn":
        return "withdrawn" if value else "in use"
    if name in {"recipe", "second_recipe"} and value:
        value = _recipe(content["recipes"].get(value, {}), value)
    elif name.endswith("sha256") and value:
        value = f"SHA-256 {value[:HASH]}"
    return f"{FIELDS.get(name, name)}: {shown(value)}"


def _recipe(recipe: Content, digest: str) -> str:
    named = recipe.get("model_title") or recipe.get("model", "")
    size = f"{recipe.get('width')} x {recipe.get('height')}"
    return f"{named}, {recipe.get('steps')} steps, guidance {recipe.get('guidance')}, {size} ({digest[:HASH]})"
