"""What a worker does while its files cannot be written: it rests, tries the storage, goes on once it serves again."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

from annotation_site.stimuli import files
from annotation_site.storage import StorageUnusable

logger = logging.getLogger(__name__)
SHORTEST_SECONDS, LONGEST_SECONDS = 5.0, 300.0
MOST_REFUSALS = 3
"""So often may an image's own files be refused, each time after others could be written."""


class Storage:
    """The storage as this process has found it. Drawing costs far more than a trial file: one is written first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds = 0.0
        self._until: float | None = None
        self._refusals: Counter[int] = Counter()

    def rest(self) -> None:
        """Claim nothing for five seconds; twice as long each time until it serves, five minutes at most."""
        self._seconds = min(max(SHORTEST_SECONDS, 2 * self._seconds), LONGEST_SECONDS)
        self._until = self._clock() + self._seconds

    def rests(self) -> bool:
        """Whether nothing is to be claimed now. After a rest the storage is tried; it goes on unless that serves."""
        if self._until is None:
            return False
        if self._clock() < self._until:
            return True
        try:
            files.try_out()
        except StorageUnusable as error:
            logger.warning("Nothing can be drawn: %s", error)
            self.rest()
            return True
        self._until = None
        return False

    def served(self) -> None:
        """Files of this process were written."""
        self._seconds, self._until = 0.0, None

    def refused_too_often(self, generation: int) -> bool:
        """Count that an image's files were refused; whether that was the last time. Then it begins anew."""
        self._refusals[generation] += 1
        if self._refusals[generation] < MOST_REFUSALS:
            return False
        del self._refusals[generation]
        return True


STORAGE = Storage()
