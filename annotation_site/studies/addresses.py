"""Addresses of an item's heat map. They say nothing of what the map comes from, and browsers may keep it for good.

With ``minutes`` it is a signed link that ends, as private studies need.
"""

from __future__ import annotations

from django.urls import reverse
from django.utils.crypto import salted_hmac

from annotation_site.stimuli.addresses import version
from annotation_site.stimuli.links import PAGE_MINUTES, link
from annotation_site.studies.codenames import codename
from annotation_site.studies.models import Item

# Raised when equal maps come to be drawn otherwise, so that no browser keeps the old drawing.
DRAWING = 1
SALT = "attest.studies.map"


def map_url(item: Item, minutes: int | None = PAGE_MINUTES) -> str:
    """The map as bytes, for a browser to draw; see :func:`annotation_site.studies.maps.map_bytes`."""
    return link(reverse("item-map", args=[codename(item.pk)]), {"v": version(map_tag(item))}, minutes)


def map_picture_url(item: Item, *, layer: str, colours: str, minutes: int | None = PAGE_MINUTES) -> str:
    """The map as a picture: ``layer`` is ``map`` (opaque) or ``overlay`` (transparent where it is low)."""
    address = reverse("item-map-picture", args=[codename(item.pk)])
    return link(address, {"colours": colours, "layer": layer, "v": version(map_tag(item))}, minutes)


def map_tag(item: Item) -> str:
    """What changes with the map shown and tells nothing of it: a keyed hash."""
    shown = (DRAWING, item.pk, item.map_source, item.map_word_id, item.map_sha256, item.generation.maps_sha256)
    return salted_hmac(SALT, repr(shown), algorithm="sha256").hexdigest()
