"""Addresses of a generation's pictures. Each carries the hash of its file, so that browsers may keep it for good."""

from __future__ import annotations

from hashlib import sha256

from django.urls import reverse

from annotation_site.stimuli.models import Generation, Word
from attribution.maps.colours import colour_table


def image_url(generation: Generation) -> str:
    return f"{reverse('image', args=[generation.identity])}?v={version(generation.image_sha256)}"


def heat_map_url(generation: Generation, word: Word, *, layer: str, colours: str = "inferno") -> str:
    """The word's map: ``layer`` is ``map`` (opaque) or ``overlay`` (transparent where it is low)."""
    address = reverse("heat-map", args=[generation.identity, word.start, word.end])
    return f"{address}?colours={colours}&layer={layer}&v={version(generation.maps_sha256)}"


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
