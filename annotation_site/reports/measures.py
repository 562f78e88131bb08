"""Numbers as a report shows them: with their interval or count, or with the reason why there are none."""

from __future__ import annotations

import math
from dataclasses import dataclass

from attribution.analysis.intervals import Estimate, Interval

# Enough for any use, few enough that the last bits of a float never show in a file.
DIGITS = 6


@dataclass(frozen=True)
class Measure:
    """A number with its 95% interval. ``reason`` says why the value, or else the interval, is undefined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    @classmethod
    def of(cls, value: float, interval: Interval, *, reason: str = "") -> Measure:
        """A defined value; ``reason`` is kept where the interval is NaN."""
        if math.isnan(interval.low):
            return cls(round(value, DIGITS), reason=reason)
        return cls(round(value, DIGITS), round(interval.low, DIGITS), round(interval.high, DIGITS))

    @classmethod
    def of_estimate(cls, estimate: Estimate, *, cluster: str = "image") -> Measure:
        """A statistic of ``attribution.analysis``; its reason names what was drawn as the report does."""
        reason = estimate.reason.replace("cluster", cluster)
        if math.isnan(estimate.value):
            return cls.undefined(reason or "no number")
        return cls.of(estimate.value, estimate.interval, reason=reason)

    @classmethod
    def number(cls, value: float, reason: str) -> Measure:
        """A number without an interval; ``reason`` is kept where it is NaN."""
        return cls.undefined(reason) if math.isnan(value) else cls(round(value, DIGITS))

    @classmethod
    def undefined(cls, reason: str) -> Measure:
        return cls(reason=reason)

    def as_json(self) -> dict[str, float | str | None]:
        """``value``, ``low`` and ``high``, null where undefined, with ``undefined`` naming the reason."""
        numbers: dict[str, float | str | None] = {"value": self.value, "low": self.low, "high": self.high}
        return numbers | ({"undefined": self.reason} if self.reason else {})

    def cells(self) -> list[float | str]:
        """Value, low and high for a spreadsheet: numbers, or "undefined: reason"."""
        said = f"undefined: {self.reason}"
        return [said if number is None else number for number in (self.value, self.low, self.high)]


@dataclass(frozen=True)
class Share:
    """``count`` of ``total``; ``reason`` says why there is no share when the total is 0."""

    count: int
    total: int
    reason: str = "no answers"

    @property
    def value(self) -> float | None:
        return round(self.count / self.total, DIGITS) if self.total else None

    @property
    def percent(self) -> float:
        """For drawing: 0 where undefined."""
        return 100 * self.count / self.total if self.total else 0.0

    def as_json(self) -> dict[str, float | str | None]:
        numbers: dict[str, float | str | None] = {"share": self.value, "count": self.count, "of": self.total}
        return numbers if self.total else numbers | {"undefined": self.reason}

    def cell(self) -> float | str:
        return f"undefined: {self.reason}" if self.value is None else self.value
