"""What an export's texts say in numbers, counted while its rows pass by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from annotation_site.reports.exports.rows import ItemRow


@dataclass
class Tally:
    """Numbers of an export; ``given`` and ``counted`` are judgements by rater, ``excluded`` raters by reason."""

    items: int = 0
    withdrawn: int = 0
    images: int = 0
    groups: Counter[str] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)
    locales: Counter[str] = field(default_factory=Counter)
    given: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    sources: set[str] = field(default_factory=set)
    parsers: set[str] = field(default_factory=set)
    excluded: Counter[str] = field(default_factory=Counter)

    def add(self, row: ItemRow) -> None:
        values = row.values
        self.items += 1
        self.withdrawn += values["withdrawn"]
        self.groups[values["condition"] or values["swap_set"] or values["tag"]] += 1
        self.sources.add(values["prompt_source"])
        self.parsers.add(values["parser"])
        for judgement in row.judgements:
            self._judgement(judgement)

    def _judgement(self, values: dict[str, Any]) -> None:
        self.fates[values["fate"]] += 1
        self.given[values["rater"]] += 1
        self.counted[values["rater"]] += values["counted"]
        if values["counted"]:
            self.locales[values["locale"] or "not recorded"] += 1

    @property
    def judgements(self) -> int:
        return self.fates.total()
