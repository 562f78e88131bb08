"""Addresses of a generation's pictures. Each carries the hash of its file, so that browsers may keep it for good.

Nobody can guess them. Those made with ``minutes`` are signed links that end, the only way to pictures that no public
study shows; see :mod:`annotation_site.stimuli.links`.
"""

from __future__ import annotations

from hashlib import sha256

from django.urls import reverse

from annotation_site.stimuli.links import PAGE_MINUTES, keyed, link
from annotation_site.stimuli.models import Generation, Word
from attribution.maps.colours import colour_table


def public_name(generation: Generation) -> str:
    """What addresses call a generation: its row, and a keyed hash of its identity."""
    return f"{generation.pk:x}-{keyed('generation', generation.identity)}"


def image_url(generation: Generation, minutes: int | None = PAGE_MINUTES) -> str:
    address = reverse("image", args=[public_name(generation)])
    return link(address, {"v": version(generation.image_sha256)}, minutes)


def heat_map_url(
    generation: Generation,
    word: Word,
    *,
    layer: str,
    colours: str = "inferno",
    minutes: int | None = PAGE_MINUTES,
) -> str:
    """The word's map: ``layer`` is ``map`` (opaque) or ``overlay`` (transparent where it is low)."""
    address = reverse("heat-map", args=[public_name(generation), word.start, word.end])
    return link(address, {"colours": colours, "layer": layer, "v": version(generation.maps_sha256)}, minutes)


def colour_bar_url(colours: str) -> str:
    """A colour map as a picture, dark to bright."""
    return _of_colours("colour-bar", colours)


def colour_table_url(colours: str) -> str:
    """A colour map as 256 x 3 bytes."""
    return _of_colours("colour-table", colours)


def _of_colours(page: str, colours: str) -> str:
    tag = sha256(colour_table(colours).tobytes()).hexdigest()
    return f"{reverse(page, args=[colours])}?v={version(tag)}"


def version(tag: str) -> str:
    """The part of a file's hash that its address carries."""
    return tag[:12]
