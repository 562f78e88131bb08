"""Addresses of a generation's pictures. Each carries the hash of its file, so that browsers may keep it for good."""

from __future__ import annotations

from django.urls import reverse

from annotation_site.stimuli.models import Generation, Word


def image_url(generation: Generation) -> str:
    return f"{reverse('image', args=[generation.identity])}?v={version(generation.image_sha256)}"


def heat_map_url(generation: Generation, word: Word, *, layer: str, colours: str = "inferno") -> str:
    """The word's map: ``layer`` is ``map`` (opaque) or ``overlay`` (transparent where it is low)."""
    address = reverse("heat-map", args=[generation.identity, word.start, word.end])
    return f"{address}?colours={colours}&layer={layer}&v={version(generation.maps_sha256)}"


def version(sha256: str) -> str:
    return sha256[:12]
