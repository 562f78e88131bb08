"""What was registered beside what is: each setting and each item that differs, and nothing that merely follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Content = dict[str, Any]
# Their names are the study's own, so one that is new is a difference; elsewhere a new name is a new version of Attest.
NAMED_BY_THE_STUDY = frozenset({"recruiting", "sampling"})
# Recipes and the numbers of the sample follow from the items.
FOLLOWS = frozenset({"items", "recipes", "sample"})
# What may be open when a study is registered: the cap is worked out at opening, an image may not be drawn yet.
LATER = frozenset({"cap", "image_sha256", "maps_sha256", "second_image_sha256"})


@dataclass(frozen=True)
class Difference:
    """``registered`` and ``now`` hold only the parts that differ; None where there is nothing."""

    section: str
    name: str
    registered: Any
    now: Any


def settings(registered: Content, now: Content) -> list[Difference]:
    """Settings that differ, by section and name."""
    found = []
    for section, before in registered.items():
        if section in FOLLOWS or section not in now:
            continue
        names = before.keys() | now[section].keys() if section in NAMED_BY_THE_STUDY else before.keys() & now[section]
        found += [_narrowed(section, name, before.get(name), now[section].get(name)) for name in sorted(names)]
    return [each for each in found if _differs(each.name, each.registered, each.now)]


def items(registered: list[Content], now: list[Content]) -> list[Difference]:
    """Items that differ, by position; None on one side where the item is not there."""
    before, after = ({item["position"]: item for item in each} for each in (registered, now))
    found = []
    for position in sorted(before.keys() | after.keys()):
        one, two = before.get(position), after.get(position)
        if one is None or two is None:
            found.append(Difference("items", str(position), one, two))
        elif names := [
            name for name in sorted(one.keys() | two.keys()) if _differs(name, one.get(name), two.get(name))
        ]:
            parts = ({name: each.get(name) for name in names} for each in (one, two))
            found.append(Difference("items", str(position), *parts))
    return found


def _differs(name: str, registered: Any, now: Any) -> bool:
    return bool(registered != now and not (registered is None and name in LATER))


def _narrowed(section: str, name: str, registered: Any, now: Any) -> Difference:
    """Of two mappings, only what differs."""
    if not (isinstance(registered, dict) and isinstance(now, dict)):
        return Difference(section, name, registered, now)
    names = [key for key in sorted(registered.keys() | now.keys()) if registered.get(key) != now.get(key)]
    return Difference(section, name, *({key: each.get(key) for key in names} for each in (registered, now)))
