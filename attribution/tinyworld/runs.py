"""What both training stages share: the log and the learning rate."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path


class Log:
    """Writes facts as JSON lines to a file and to standard error."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path

    def write(self, **facts: object) -> None:
        line = json.dumps(facts)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        sys.stderr.write(line + "\n")


def learning_rate(peak: float, step: int, fraction: float, warm_up: int = 100) -> float:
    """Linear warm-up over ``warm_up`` steps, then half a cosine down to 2% of ``peak`` at ``fraction`` 1 of the run."""
    decay = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(max(fraction, 0.0), 1.0)))
    return peak * min(1.0, (step + 1) / warm_up) * decay
