"""The groups of nouns that share a hypernym: the paper's over COCO's objects (section 5.1), and the shipped world's."""

from __future__ import annotations

from functools import cache

from attribution.ontology import COCO_GROUPS
from attribution.tinyworld.lexicon import GROUPS

UNGROUPED = "in no group"
ACROSS = "across groups"


@cache
def _group_of() -> dict[str, str]:
    # The paper's last: where both know a noun, its group is the one that readers look for.
    groups = {noun.lower(): name for name, nouns in GROUPS.items() for noun in nouns}
    return groups | {noun: name for name, nouns in COCO_GROUPS.items() for noun in nouns}


def group_of(pair: str) -> str:
    """The group that both nouns of a pair ("cat and dog") belong to; "across groups" or "in no group" otherwise."""
    groups = {_group_of().get(noun, UNGROUPED) for noun in pair.split(" and ")}
    return groups.pop() if len(groups) == 1 else ACROSS
