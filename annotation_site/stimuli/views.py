"""Pictures of a generation: its image as stored, and a word's heat map drawn from the stored maps."""

from __future__ import annotations

import io
import logging
import math

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from annotation_site.stimuli import files
from annotation_site.stimuli.addresses import version
from annotation_site.stimuli.models import Generation
from attribution.errors import MapFileError, WordError
from attribution.maps import HeatMap, HeatMaps
from attribution.maps.colours import COLOUR_MAPS
from attribution.maps.overlay import heat_map_image

logger = logging.getLogger(__name__)

LAYERS = ("map", "overlay")
# Small enough to travel fast, large enough that the browser's own scaling adds no visible steps.
SMALLEST_SIDE = 256
YEAR = 31_536_000


@require_safe
def image(request: HttpRequest, identity: str) -> HttpResponse:
    generation = _done_or_404(identity)
    unchanged = _conditional(request, generation.image_sha256)
    if unchanged is not None:
        return unchanged
    name = str(generation.image.name)
    try:
        content = files.read(name)
    except OSError as error:
        return _unreadable(name, error)
    return _picture(request, content, generation.image_sha256)


@require_safe
def heat_map(request: HttpRequest, identity: str, start: int, end: int) -> HttpResponse:
    colours, layer = request.GET.get("colours", COLOUR_MAPS[0]), request.GET.get("layer", LAYERS[0])
    for name, value, known in (("colours", colours, COLOUR_MAPS), ("layer", layer, LAYERS)):
        if value not in known:
            text = f"{name}={value!r} is not known: choose from {', '.join(known)}."
            return HttpResponse(text, status=400, content_type="text/plain; charset=utf-8")
    generation = _done_or_404(identity)
    unchanged = _conditional(request, generation.maps_sha256)
    if unchanged is not None:
        return unchanged
    try:
        word = _maps(generation).word(start, end)
    except WordError as error:
        raise Http404(str(error)) from error
    except (OSError, MapFileError) as error:
        return _unreadable(str(generation.maps.name), error)
    return _picture(request, _drawn(word, generation, colours, layer), generation.maps_sha256)


def _done_or_404(identity: str) -> Generation:
    generation = Generation.objects.filter(identity=identity).select_related("recipe").first()
    if generation is None or not generation.is_done:
        raise Http404(_("There is no picture at this address, or it has not been made yet."))
    return generation


def _maps(generation: Generation) -> HeatMaps:
    name = str(generation.maps.name).removesuffix(".npz")
    return HeatMaps.from_bytes(files.read(f"{name}.npz"), files.read(f"{name}.json"), name=name)


def _drawn(word: HeatMap, generation: Generation, colours: str, layer: str) -> bytes:
    height, width = generation.recipe.height, generation.recipe.width
    scale = max(1, math.ceil(SMALLEST_SIDE / min(height, width)))
    picture = heat_map_image(word.values, height * scale, width * scale, colours)
    buffer = io.BytesIO()
    (picture if layer == "overlay" else picture.convert("RGB")).save(buffer, "PNG")
    return buffer.getvalue()


def _conditional(request: HttpRequest, sha256: str) -> HttpResponse | None:
    """304 where the browser has this very file already."""
    response = get_conditional_response(request, etag=quote_etag(sha256))
    return None if response is None else _cacheable(request, response, sha256)


def _picture(request: HttpRequest, content: bytes, sha256: str) -> HttpResponse:
    return _cacheable(request, HttpResponse(content, content_type="image/png"), sha256)


def _cacheable(request: HttpRequest, response: HttpResponse, sha256: str) -> HttpResponse:
    response["ETag"] = quote_etag(sha256)
    response["X-Content-Type-Options"] = "nosniff"
    if request.GET.get("v") == version(sha256):
        patch_cache_control(response, public=True, max_age=YEAR, immutable=True)
    else:
        patch_cache_control(response, public=True, no_cache=True)
    return response


def _unreadable(name: str, error: Exception) -> HttpResponse:
    """The page around the picture goes on working; the log and this answer name the file."""
    logger.error("stimulus file %s cannot be read: %s", name, error)
    text = f"The file {name} cannot be read; the log says why. Restore it from a backup."
    return HttpResponse(text, status=500, content_type="text/plain; charset=utf-8")
