"""How each family of pipelines is traced: one small module a family, found by the pipeline's class.

A new family is a module with a :class:`Family`, and its name in ``FAMILIES``.
"""

from __future__ import annotations

from typing import Any

from attribution.daam.families import flux, pixart, stable_diffusion, stable_diffusion_3, stable_diffusion_xl
from attribution.daam.families.base import Family, Request, Run
from attribution.errors import TraceError

FAMILIES: tuple[Family, ...] = (
    stable_diffusion.FAMILY,
    stable_diffusion_xl.FAMILY,
    stable_diffusion_3.FAMILY,
    flux.FAMILY,
    pixart.FAMILY,
)

__all__ = ["FAMILIES", "Family", "Request", "Run", "family_of"]


def family_of(pipeline: Any) -> Family:
    """The family of ``pipeline``'s class or of its nearest known ancestor; raises TraceError when there is none."""
    by_name = {name: family for family in FAMILIES for name in family.pipelines}
    for ancestor in type(pipeline).__mro__:
        if ancestor.__name__ in by_name:
            return by_name[ancestor.__name__]
    raise TraceError(f"{type(pipeline).__name__} cannot be traced; these can: {', '.join(sorted(by_name))}")
