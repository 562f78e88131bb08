"""From a drawn image to files and a done row, or to a failed row with its reason: all or nothing as readers see it."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from PIL import Image

from annotation_site.rating.assignment import database_now, release_pending
from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation, Worker
from annotation_site.stimuli.queue import NOBODY
from annotation_site.studies.models import Item
from annotation_site.worker.reasons import reason_of
from attribution.maps import HeatMaps

logger = logging.getLogger(__name__)


@dataclass
class Tally:
    """What a run did: images made, and the reason of each failure by the generation's identity."""

    done: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def all(self) -> int:
        return self.done + len(self.failed)


def finish(generation: Generation, drawn: Any, made_with: dict[str, Any], tally: Tally) -> None:
    """Write the files and mark the row done, unless its claim has gone to another worker meanwhile.

    Raises StorageUnusable, and then the row stays claimed; files that are there already are whole, and no row has them.
    """
    _require_maps(generation, drawn.heat_maps)
    image = _png(drawn.image)
    maps, description = _map_files(drawn.heat_maps)
    image_name, maps_name, description_name = files.names(generation.identity)
    contents = {image_name: image, maps_name: maps, description_name: description}
    with transaction.atomic():
        # Only the row's owner writes: a worker that lost its lease must not touch files that another has finished.
        owned = _owned(generation).select_for_update()
        if owned.first() is None:
            return
        for name, content in contents.items():
            files.write(name, content)
        _tell_of_other_bytes(generation, image)
        owned.update(
            state=Generation.State.DONE,
            image=image_name,
            image_sha256=files.sha256(image),
            maps=maps_name,
            maps_sha256=files.sha256(maps),
            seconds=drawn.seconds,
            made_by=Worker.objects.filter(name=generation.claimed_by).first(),
            made_with={**made_with, "drawn_together": drawn.together},
            done_at=database_now(),
            error="",
            **NOBODY,
        )
        release_pending([generation])
    tally.done += 1


def fail(generation: Generation, error: Exception, tally: Tally) -> None:
    """Mark the row failed with its reason, unless its claim has gone to another worker meanwhile."""
    reason = reason_of(error)
    if _owned(generation).update(state=Generation.State.FAILED, error=reason, **NOBODY):
        tally.failed[generation.identity] = reason


def _owned(generation: Generation) -> Any:
    return Generation.objects.claimed_by(generation.claimed_by).filter(pk=generation.pk)


def _tell_of_other_bytes(generation: Generation, image: bytes) -> None:
    """An image that is drawn anew keeps the hash of the one before, which raters may have judged."""
    if generation.image_sha256 and generation.image_sha256 != files.sha256(image):
        logger.warning(
            "Generation %s, drawn again, is not the same to the byte: the libraries, the device or its threads are "
            "others than made_with tells of.", generation.identity,
        )  # fmt: skip


def _require_maps(generation: Generation, maps: HeatMaps) -> None:
    """Every word whose place in this image an item asks about must have a map; WordError names the one without."""
    items = Item.objects.filter(generation=generation, second_generation__isnull=True).in_use()
    for item in items.select_related("word", "second_word"):
        for word in (item.word, item.second_word):
            if word is not None:
                maps.word(word.start, word.end)


def _png(image: Image.Image) -> bytes:
    """The image's PNG, decoded once more to be sure that it is whole."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    with Image.open(io.BytesIO(buffer.getvalue())) as written:
        written.load()
    return buffer.getvalue()


def _map_files(maps: HeatMaps) -> tuple[bytes, bytes]:
    """The maps' npz and JSON, read once more as their readers will. Without padding, which words do not need."""
    content, description = maps.without_padding().to_bytes()
    HeatMaps.from_bytes(content, description, name="the maps just made")
    return content, description
