"""What becomes of a judgement."""

from __future__ import annotations

from annotation_site.reports.data import Rater


def fate_of(current: bool, surplus: bool, rater: Rater, *, withdrawn: bool) -> str:
    """What became of a judgement: the first of FATES that holds."""
    if not current:
        return "superseded"
    if surplus:
        return "surplus"
    if rater.simulated:
        return "simulated"
    if withdrawn:
        return "withdrawn"
    return "excluded" if rater.reason else "counted"
