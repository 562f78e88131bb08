"""The versions that a study's report is computed by."""

from __future__ import annotations

import platform
from importlib import metadata

# What decides a page or a number of the site: it computes with NumPy alone.
PACKAGES = ("attest", "numpy", "django", "pillow")


def versions() -> dict[str, str]:
    """Versions by package; those that draw images stand with each image that was drawn."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
