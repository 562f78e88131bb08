"""Pictures of a generation: its image as stored, and a word's heat map drawn from the stored maps. And colours."""

from __future__ import annotations

import re
from hashlib import sha256

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from PIL import Image

from annotation_site.stimuli import files
from annotation_site.stimuli.addresses import public_name
from annotation_site.stimuli.drawing import CHOICES, drawn, png
from annotation_site.stimuli.models import Generation
from annotation_site.stimuli.serving import closed, stimulus, unchanged, unknown_choice, unreadable
from annotation_site.stimuli.stored_maps import heat_maps
from attribution.errors import MapFileError, WordError
from attribution.maps.colours import COLOUR_MAPS, colour_table


@require_safe
def image(request: HttpRequest, name: str) -> HttpResponse:
    generation = _done_or_404(name)
    known = _closed(request, generation) or unchanged(request, generation.image_sha256)
    if known is not None:
        return known
    stored = str(generation.image.name)
    try:
        content = files.read_whole(stored, generation.image_sha256)
    except OSError as error:
        return unreadable(stored, error)
    return stimulus(request, content, generation.image_sha256)


@require_safe
def heat_map(request: HttpRequest, name: str, start: int, end: int) -> HttpResponse:
    refused = unknown_choice(request, CHOICES)
    if refused is not None:
        return refused
    generation = _done_or_404(name)
    if not generation.maps:
        raise Http404(_("There is no picture at this address, or it has not been made yet."))
    known = _closed(request, generation) or unchanged(request, generation.maps_sha256)
    if known is not None:
        return known
    try:
        values = heat_maps(generation).word(start, end).values
    except WordError as error:
        raise Http404(str(error)) from error
    except (OSError, MapFileError) as error:
        return unreadable(str(generation.maps.name), error)
    return stimulus(request, drawn(request, values, generation), generation.maps_sha256)


@require_safe
def colours(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """A colour map, dark to bright: ``rgb`` is 256 x 3 bytes for a browser to draw with, ``png`` a bar to show."""
    if name not in COLOUR_MAPS:
        raise Http404(_("There is no colour map of this name."))
    table = colour_table(name)
    tag = sha256(table.tobytes()).hexdigest()
    known = unchanged(request, tag)
    if known is not None:
        return known
    if kind == "rgb":
        return stimulus(request, table.tobytes(), tag, "application/octet-stream")
    return stimulus(request, png(Image.fromarray(table[np.newaxis])), tag)


def _closed(request: HttpRequest, generation: Generation) -> HttpResponse | None:
    return closed(request, public=lambda: generation.is_public)


def _done_or_404(name: str) -> Generation:
    generation = _named(name)
    if generation is None or not generation.is_done:
        raise Http404(_("There is no picture at this address, or it has not been made yet."))
    return generation


def _named(name: str) -> Generation | None:
    number = re.match(r"[0-9a-f]{1,15}(?=-)", name)
    rows = Generation.objects.select_related("recipe")
    found = rows.filter(pk=int(number[0], 16)).first() if number else None
    return found if found and constant_time_compare(name, public_name(found)) else None
