"""What was otherwise for a while since the study opened, and is as registered again: by the audit log.

What is put back while a study is a draft is none of it, for nobody is shown anything by then. Pay cannot be put back:
each scheme is a new version.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import copy
from typing import Any

from auditlog.models import LogEntry
from django.db.models import Field, JSONField

from annotation_site.reports.preregistration import comparing
from annotation_site.reports.preregistration.collecting import settings_of
from annotation_site.reports.preregistration.comparing import Content, Difference
from annotation_site.reports.preregistration.history import History
from annotation_site.studies.models import Study

FIELDS = {field.name: field for field in Study._meta.concrete_fields if not field.is_relation}


def settings(before: Content, now: Content, history: History) -> list[list[Difference]]:
    """For each setting that is as registered, how it differed in between, oldest first; only those that did."""
    differs = {(each.section, each.name) for each in comparing.settings(before, now)}
    found: dict[tuple[str, str], list[Difference]] = {}
    for past in _past_settings(history):
        for each in comparing.settings(before, past):
            if (each.section, each.name) not in differs:
                found.setdefault((each.section, each.name), []).append(each)
    return list(found.values())


def _past_settings(history: History) -> list[Content]:
    """The settings between two changes of the study's fields, oldest first; made by undoing the changes."""
    study, found = copy(history.study), []
    changes = [entry for entry in history.of_study if FIELDS.keys() & (entry.changes or {}).keys()]
    # Before the first of them all was as registered.
    for entry in reversed(changes[1:]):
        for name in FIELDS.keys() & entry.changes.keys():
            setattr(study, name, _read(FIELDS[name], entry.changes[name][0]))
        if history.follows_opening(entry):
            found.append(settings_of(study))
    return found[::-1]


def _read(field: Field[Any, Any], text: str) -> Any:
    """A value that the audit log holds as text."""
    if isinstance(field, JSONField):
        return json.loads(text)
    return None if field.null and text == "None" else field.to_python(text)


def items(before: list[Content], now: list[Content], history: History) -> Iterator[Difference]:
    """Items that were withdrawn while the study ran and are in use again, or the other way about."""
    registered = {item["position"]: item.get("withdrawn") for item in before}
    as_registered = {item["position"] for item in now if item.get("withdrawn") == registered.get(item["position"])}
    for position in sorted(as_registered & registered.keys() & history.of_items.keys()):
        known = registered[position]
        if any(_withdrawn_before(entry) != known for entry in _moves(history, position)):
            yield Difference("items", str(position), {"withdrawn": known}, {"withdrawn": None if known else True})


def _moves(history: History, position: int) -> list[LogEntry]:
    """An item's withdrawals and returns while the study ran, but the first: before that it was as registered."""
    found = [entry for entry in history.of_items[position] if "withdrawn_at" in (entry.changes or {})]
    return [entry for entry in found[1:] if history.follows_opening(entry)]


def _withdrawn_before(entry: LogEntry) -> bool | None:
    """As an item is registered: nothing where it is in use."""
    return True if entry.changes["withdrawn_at"][0] != "None" else None
