"""The package as a tool: ``python -m attribution maps "a dog chasing a red ball" --model tinyworld --out FOLDER``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from attribution.command import parser
from attribution.errors import AttributionError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, or 2 with a message when something is missing or wrong."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (AttributionError, OSError, UnicodeError) as error:
        sys.stderr.write(f"attribution: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
