"""What a report says of its study's preregistration: which one counts, and what deviates; from rows or an export."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

Plain = dict[str, Any]


@dataclass(frozen=True)
class DeviationRow:
    """One deviation in words; ``when`` says when it came about and how many answers there were, but never by whom."""

    subject: str
    registered: str
    now: str
    when: str


@dataclass(frozen=True)
class Standing:
    """The registration that counts. ``registered_at`` is UTC; ``judgements`` of people were stored by then."""

    number: int
    registered_at: str
    sha256: str
    judgements: int
    seed: int
    deviations: tuple[DeviationRow, ...]

    def with_seed(self, seed: int) -> Standing:
        """For a report of this seed: another one than was registered is a deviation of that report."""
        if seed == self.seed:
            return self
        row = DeviationRow("Seed of the bootstraps", str(self.seed), str(seed), "in this report")
        return replace(self, deviations=(*self.deviations, row))

    @property
    def said(self) -> str:
        """On the front of a report."""
        answers = "1 answer was" if self.judgements == 1 else f"{self.judgements} answers were"
        before = (
            "before anybody had answered" if not self.judgements else f"AFTER data existed: {answers} stored already"
        )
        number = len(self.deviations)
        found = "no deviation" if not number else "1 deviation" if number == 1 else f"{number} deviations"
        return f"Preregistered on {self.registered_at} (SHA-256 {self.sha256}), {before}; {found}."

    def as_plain(self) -> Plain:
        return asdict(self)

    @classmethod
    def of_plain(cls, plain: Plain) -> Standing:
        return cls(**{**plain, "deviations": tuple(DeviationRow(**row) for row in plain["deviations"])})
