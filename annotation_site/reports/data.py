"""A study's items, raters and answers as columns: what every row of a report is computed from.

The database is one source of them (:mod:`annotation_site.reports.loading`), an export the other
(:mod:`annotation_site.reports.exports.reading`). Both give the same columns in the same order, so the same rows. A
judgement takes some thirty bytes here, so a million of them fit where their objects would not.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from annotation_site.studies.arms import REFERENCE

Integers = npt.NDArray[np.int64]
Column = npt.NDArray[Any]
Booleans = npt.NDArray[np.bool_]

NO_GROUP = "none"
# Codes of answers: 0 to 4 are ratings 1 to 5; or both, first noun only, second noun only, neither; or CHANGES.
TOO_ABSTRACT, TOO_POOR, CODES = 5, 6, 7
OPT_OUTS = {"word_too_abstract": TOO_ABSTRACT, "image_too_poor": TOO_POOR}
PRESENT = ((True, True), (True, False), (False, True), (False, False))
CHANGES = ("object", "background", "both", "nothing")
# What became of a judgement, checked in this order.
FATES = ("superseded", "surplus", "simulated", "withdrawn", "excluded", "counted")
MISSING = -1


def code_of(rating: int | None, opt_out: str, first: bool | None, second: bool | None, change: str = "") -> int:
    """The code of one answer."""
    if change:
        return CHANGES.index(change)
    if rating is not None:
        return rating - 1
    return OPT_OUTS[opt_out] if opt_out else PRESENT.index((bool(first), bool(second)))


@dataclass(frozen=True)
class Facts:
    """What is known of a study beside its items and answers; ``rules`` are its exclusion rules, as they were stated."""

    slug: str
    title: str
    kind: str
    state: str
    raters_an_item: int
    interpretable_minimum: int
    cap: int | None = None
    rules: tuple[dict[str, Any], ...] = ()
    adaptive: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Items:
    """Rated items by position, withdrawn ones too; every column has shape (I,).

    ``group`` (tag or condition), ``arm`` and ``pair`` (the target word, or both nouns, alphabetically) are codes into
    the names of the same plural. ``image`` numbers the images, ``target`` is the first character of the word in its
    prompt, ``places`` how many answers the item asks for.
    """

    position: Column
    image: Column
    group: Column
    arm: Column
    pair: Column
    target: Column
    places: Column
    withdrawn: Booleans
    groups: tuple[str, ...]
    arms: tuple[str, ...]
    pairs: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.position)


class Rater(NamedTuple):
    """A rater by pseudonym; ``reason`` is of the exclusion, empty for those who count; checks with their results."""

    pseudonym: str
    simulated: bool = False
    reason: str = ""
    passed: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Judgements:
    """Stored answers by item, rater and revision; every column has shape (N,).

    ``item`` and ``rater`` are places in the items and raters. ``milliseconds`` is from both pictures painted to the
    answer, ``at`` when it arrived (microseconds since 1970), ``shown`` when the stimulus was sent.
    """

    item: Column
    rater: Column
    answer: Column
    revision: Column
    current: Booleans
    surplus: Booleans
    milliseconds: Column
    shown: Column
    at: Column

    def __len__(self) -> int:
        return len(self.item)


@dataclass(frozen=True)
class StudyData:
    """A study as columns."""

    facts: Facts
    items: Items
    raters: tuple[Rater, ...]
    judgements: Judgements

    @cached_property
    def simulated(self) -> Booleans:
        return np.array([rater.simulated for rater in self.raters], dtype=np.bool_)

    @cached_property
    def excluded(self) -> Booleans:
        return np.array([bool(rater.reason) for rater in self.raters], dtype=np.bool_)

    @cached_property
    def seated(self) -> Booleans:
        """Answers that took a place, whoever gave them, shape (N,)."""
        return np.asarray(self.judgements.current & ~self.judgements.surplus)

    @cached_property
    def answered(self) -> Integers:
        """How many places of each item are answered, shape (I,)."""
        return np.bincount(self.judgements.item[self.seated], minlength=len(self.items))

    def counted(self, *, simulated: bool = False, excluded: bool = False) -> Booleans:
        """Which judgements count for people or for simulated raters, shape (N,); ``excluded`` ones too, if asked."""
        rater = self.judgements.rater
        of = self.simulated if simulated else ~self.simulated
        wanted = of if excluded else of & ~self.excluded
        return np.asarray(self.seated & wanted[rater] & ~self.items.withdrawn[self.judgements.item])

    def first(self, which: Booleans) -> Booleans:
        """Of the judgements of ``which``, the first of each item, as many as every item is asked for, shape (N,).

        All of them unless the study asks more of items that divide their raters: pooled, those would count more often.
        """
        if not self.facts.adaptive:
            return which
        of = self.judgements
        places = np.flatnonzero(self.seated)
        order = places[np.lexsort((of.at[places], of.item[places]))]
        item = of.item[order]
        rank = np.arange(len(order)) - np.searchsorted(item, item)
        early = np.zeros(len(of), dtype=np.bool_)
        early[order[rank < self.facts.raters_an_item]] = True
        return np.asarray(which & early)

    def fates(self) -> Integers:
        """What became of each judgement, as codes into FATES, shape (N,)."""
        fate = np.full(len(self.judgements), FATES.index("counted"))
        rater, item = self.judgements.rater, self.judgements.item
        # Backwards, so that the first that holds has the last word.
        fate[self.excluded[rater]] = FATES.index("excluded")
        fate[self.items.withdrawn[item]] = FATES.index("withdrawn")
        fate[self.simulated[rater]] = FATES.index("simulated")
        fate[self.judgements.surplus] = FATES.index("surplus")
        fate[~self.judgements.current] = FATES.index("superseded")
        return fate

    def counts(self, which: Booleans) -> Integers:
        """How many of these judgements gave each answer to each item, shape (I, CODES)."""
        cell = self.judgements.item[which].astype(np.int64) * CODES + self.judgements.answer[which]
        return np.bincount(cell, minlength=len(self.items) * CODES).reshape(len(self.items), CODES)

    def of_group(self, name: str) -> Booleans:
        """Items of one tag or condition, shape (I,)."""
        code = self.items.groups.index(name) if name in self.items.groups else MISSING
        return np.asarray(self.items.group == code)

    @cached_property
    def in_use(self) -> Booleans:
        """Items that the headline is of, shape (I,): not withdrawn, and of the reference arm where there are arms."""
        return self.arm_in_use(REFERENCE) if self.compares_arms else ~self.items.withdrawn

    @property
    def compares_arms(self) -> bool:
        return len(self.items.arms) > 1 and REFERENCE in self.items.arms

    def arm_in_use(self, name: str) -> Booleans:
        return np.asarray(~self.items.withdrawn & (self.items.arm == self.items.arms.index(name)))


class Names:
    """Codes of strings: numbered as they come, in alphabetical order at the end."""

    def __init__(self) -> None:
        self._code: dict[str, int] = {}
        self._column = array("i")

    def add(self, name: str) -> None:
        self._column.append(self._code.setdefault(name, len(self._code)))

    def sorted(self) -> tuple[Column, tuple[str, ...]]:
        names = sorted(self._code)
        place = np.empty(len(names), dtype=np.int64)
        place[[self._code[name] for name in names]] = np.arange(len(names))
        codes = np.frombuffer(self._column, dtype=np.intc) if len(self._column) else np.zeros(0, np.intc)
        return (place[codes] if len(names) else codes.astype(np.int64)), tuple(names)


class ItemPacker:
    """Makes the columns of items that come one at a time, by position."""

    def __init__(self) -> None:
        self._group, self._arm, self._pair = Names(), Names(), Names()
        self._position, self._image, self._target = array("q"), array("q"), array("q")
        self._places, self._withdrawn = array("q"), array("b")

    def add(
        self, *, position: int, image: int, group: str, arm: str, pair: str, target: int, places: int, withdrawn: bool
    ) -> None:
        """``image`` is any number that two items share when they show the same image."""
        self._position.append(position)
        self._image.append(image)
        self._group.add(group or NO_GROUP)
        self._arm.add(arm)
        self._pair.add(pair)
        self._target.append(target)
        self._places.append(places)
        self._withdrawn.append(withdrawn)

    def packed(self) -> Items:
        group, groups = self._group.sorted()
        arm, arms = self._arm.sorted()
        pair, pairs = self._pair.sorted()
        return Items(
            position=np.array(self._position, dtype=np.int64),
            image=_renumbered(np.array(self._image, dtype=np.int64)),
            group=group,
            arm=arm,
            pair=pair,
            target=np.array(self._target, dtype=np.int64),
            places=np.array(self._places, dtype=np.int64),
            withdrawn=np.array(self._withdrawn, dtype=np.bool_),
            groups=groups,
            arms=arms,
            pairs=pairs,
        )


def _renumbered(labels: Integers) -> Integers:
    """The same labels as 0, 1, 2, ... in the order in which they first occur."""
    _, first, code = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[code])


def in_order(judgements: Judgements) -> Judgements:
    """The same judgements by item, rater, revision and time."""
    order = np.lexsort((judgements.at, judgements.revision, judgements.rater, judgements.item))
    columns = {each.name: getattr(judgements, each.name)[order] for each in fields(judgements)}
    return Judgements(**columns)


def pair_name(first: str, second: str = "") -> str:
    """What two items ask about alike: the target word, or the two nouns in alphabetical order; lower case."""
    return " and ".join(sorted(word.lower() for word in (first, second) if word))
