"""The reference: ``daam`` of PyPI (castorini/daam), if it is in ``.venv/reference``, where ``make bench`` puts it.

It stands apart from the environment because it is only measured here, never used.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / ".venv" / "reference"


def reference() -> Any:
    """The module ``daam``; None where it is not installed or does not load beside today's libraries."""
    folder = os.environ.get("DAAM_REFERENCE", str(FOLDER))
    if folder not in sys.path:
        sys.path.append(folder)
    if importlib.util.find_spec("daam") is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module("daam")
        except ImportError as error:
            sys.stderr.write(f"the reference does not load: {error}\n")
            return None


def fits(side: int) -> bool:
    """Whether the reference is here, and takes latents of this side for what they are: 64 and 96 are all it knows."""
    return side in (64, 96) and reference() is not None


@contextmanager
def traced(pipeline: Any) -> Iterator[Any]:
    """The reference's tracer at work; ``compute_global_heat_map().heat_maps`` are its maps [token, height, width]."""
    with tempfile.TemporaryDirectory() as heads, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with reference().trace(pipeline, data_dir=heads) as tracer:
            yield tracer
