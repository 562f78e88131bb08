"""The heat map of an item: as bytes that a browser draws, and as a picture of the very same values."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from annotation_site.stimuli.drawing import CHOICES, drawn
from annotation_site.stimuli.serving import REPAIR, closed, plain, stimulus, unavailable, unchanged, unknown_choice
from annotation_site.storage import StorageUnusable
from annotation_site.studies.addresses import map_tag
from annotation_site.studies.codenames import number
from annotation_site.studies.maps import map_bytes, map_levels
from annotation_site.studies.models import Item
from attribution.errors import AttributionError

logger = logging.getLogger(__name__)

LARGEST_NUMBER = 2**63 - 1


@require_safe
def item_map(request: HttpRequest, name: str) -> HttpResponse:
    return _served(request, name, map_bytes, "application/octet-stream")


@require_safe
def item_map_picture(request: HttpRequest, name: str) -> HttpResponse:
    def picture(item: Item) -> bytes:
        # From the bytes, not from the maps, so that both ways of drawing show the same.
        return drawn(request, map_levels(item).astype(np.float32), item.generation)

    return unknown_choice(request, CHOICES) or _served(request, name, picture, "image/png")


def _served(request: HttpRequest, name: str, make: Callable[[Item], bytes], content_type: str) -> HttpResponse:
    item = _item_or_404(name)
    tag = map_tag(item)
    known = closed(request, public=lambda: item.study.link_minutes is None) or unchanged(request, tag)
    if known is not None:
        return known
    try:
        content = make(item)
    except (AttributionError, OSError) as error:
        # The file's name could tell what the map comes from: it is for the log alone.
        logger.error("the map of item %s cannot be shown: %s", item.pk, error)
        if isinstance(error, StorageUnusable):
            return unavailable()
        return plain(f"The file of map {name} is missing or damaged; the log says why. {REPAIR}", 404)
    return stimulus(request, content, tag, content_type)


def _item_or_404(name: str) -> Item:
    pk = number(name)
    items = Item.objects.select_related("generation__recipe", "study", "word", "map_word")
    item = items.filter(pk=pk).first() if pk <= LARGEST_NUMBER else None
    if item is None or not item.generation.is_done:
        raise Http404(_("There is no map at this address, or it has not been made yet."))
    return item
