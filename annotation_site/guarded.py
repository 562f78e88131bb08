"""Looking at many things in turn, where one that cannot be read must not keep the others from theirs."""

from __future__ import annotations

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)


def guarded(failure: str, look: Callable[[], int]) -> int | None:
    """How many ``look`` finds; None where it fails, and the log says ``failure`` and why."""
    try:
        return look()
    except Exception:
        logger.exception("%s", failure)
        return None
