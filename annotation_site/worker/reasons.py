"""Why something could not be done, as rows tell it."""

from __future__ import annotations

from attribution.errors import AttributionError


def reason_of(error: Exception) -> str:
    """Its text, without what PostgreSQL does not store: the telling itself must not break off."""
    reason = str(error) if isinstance(error, AttributionError) else f"{type(error).__name__}: {error}"
    return reason.replace("\0", "").encode(errors="replace").decode()[:2000] or "no reason given"
