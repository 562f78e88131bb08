"""Word heat maps of text-to-image models, and what people make of them.

Importing this package loads neither torch nor spaCy; the names below load what they need on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attribution.daam.capture import trace
    from attribution.daam.generate import Drawn, generate
    from attribution.daam.methods import observe
    from attribution.daam.pipelines import load_pipeline
    from attribution.daam.recording import Recording
    from attribution.maps.heat_maps import HeatMap, HeatMaps
    from attribution.maps.raw import RawMaps

_HOMES = {
    "Drawn": "attribution.daam.generate",
    "HeatMap": "attribution.maps.heat_maps",
    "HeatMaps": "attribution.maps.heat_maps",
    "RawMaps": "attribution.maps.raw",
    "Recording": "attribution.daam.recording",
    "generate": "attribution.daam.generate",
    "load_pipeline": "attribution.daam.pipelines",
    "observe": "attribution.daam.methods",
    "trace": "attribution.daam.capture",
}

__all__ = ["Drawn", "HeatMap", "HeatMaps", "RawMaps", "Recording", "generate", "load_pipeline", "observe", "trace"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
