"""Pictures of a generation: its image as stored, and a word's heat map drawn from the stored maps. And colours."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from PIL import Image

from annotation_site.stimuli import files
from annotation_site.stimuli.drawing import CHOICES, drawn, png
from annotation_site.stimuli.models import Generation
from annotation_site.stimuli.serving import stimulus, unchanged, unknown_choice, unreadable
from attribution.errors import MapFileError, WordError
from attribution.maps import HeatMaps
from attribution.maps.colours import COLOUR_MAPS, colour_table


@require_safe
def image(request: HttpRequest, identity: str) -> HttpResponse:
    generation = _done_or_404(identity)
    known = unchanged(request, generation.image_sha256)
    if known is not None:
        return known
    name = str(generation.image.name)
    try:
        content = files.read(name)
    except OSError as error:
        return unreadable(name, error)
    return stimulus(request, content, generation.image_sha256)


@require_safe
def heat_map(request: HttpRequest, identity: str, start: int, end: int) -> HttpResponse:
    refused = unknown_choice(request, CHOICES)
    if refused is not None:
        return refused
    generation = _done_or_404(identity)
    known = unchanged(request, generation.maps_sha256)
    if known is not None:
        return known
    try:
        values = _maps(generation).word(start, end).values
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


def _done_or_404(identity: str) -> Generation:
    generation = Generation.objects.filter(identity=identity).select_related("recipe").first()
    if generation is None or not generation.is_done:
        raise Http404(_("There is no picture at this address, or it has not been made yet."))
    return generation


def _maps(generation: Generation) -> HeatMaps:
    name = str(generation.maps.name).removesuffix(".npz")
    return HeatMaps.from_bytes(files.read(f"{name}.npz"), files.read(f"{name}.json"), name=name)
