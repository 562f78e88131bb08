"""How precisely a report computes: the same for every study, and part of what a study registers."""

from __future__ import annotations

SEED = 0
RESAMPLES = 2_000
CONFIDENCE = 0.95
