"""The containers' health checks, without loading Django: ``python -m annotation_site.operations.probe web|alive``."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

# A worker touches its file before and after each task, and a task draws one batch.
OLDEST = 1800.0


def main(what: str) -> int:
    if what == "web":
        address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/readyz"
        request = urllib.request.Request(address, headers={"Host": "localhost"})
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return 0 if answer.status == 200 else 1
    file = Path(tempfile.gettempdir()) / "attest-alive"
    return 0 if file.exists() and time.time() - file.stat().st_mtime < OLDEST else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
