"""Stored images and maps beside what their rows tell of them: which are missing or damaged, and who shows them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from PIL import Image

from annotation_site.rating.assignment import draw_again
from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation
from annotation_site.stimuli.stored_maps import heat_maps
from annotation_site.storage import StorageUnusable
from annotation_site.studies.models import Item
from attribution.errors import AttributionError


@dataclass(frozen=True)
class Damage:
    """A file that cannot be shown, why, and the items that show it, as ``study/position``."""

    name: str
    reason: str
    items: tuple[str, ...]
    generation: Generation | None = None
    """Whose image or maps it is; None for an arm's own map of a word, which nobody here can make again."""

    def draw_again(self) -> bool:
        """Queue its image again, unless it is; False where it cannot be drawn here."""
        if self.generation is None:
            return False
        queued = Generation.objects.filter(pk=self.generation.pk).exclude(state=Generation.State.DONE)
        return draw_again(self.generation, reason=self.reason) or queued.exists()


def damaged(on_file: Callable[[], None] = lambda: None) -> Iterator[Damage]:
    """Every damaged file; ``on_file`` is called after each that was read. Raises StorageUnusable."""
    for generation in finished().select_related("prompt", "recipe").iterator(chunk_size=200):
        if reason := _why_not(_read_image, generation):
            yield Damage(str(generation.image.name), reason, _items_of(generation), generation)
        on_file()
        if generation.maps:
            if reason := _why_not(heat_maps, generation):
                yield Damage(str(generation.maps.name), reason, _items_of(generation), generation)
            on_file()
    for name, sha256 in own_maps().iterator():
        if reason := _why_not(files.read_whole, name, sha256):
            yield Damage(name, reason, _named(Item.objects.filter(map_file=name)))
        on_file()


def count() -> int:
    """How many files there are to read; an image's maps count as one."""
    return finished().count() + finished().exclude(maps="").count() + own_maps().count()


def finished() -> QuerySet[Generation]:
    return Generation.objects.filter(state=Generation.State.DONE).order_by("pk")


def own_maps() -> QuerySet[Item, tuple[str, str]]:
    """Maps of words that an arm brought with it, and masks: name and SHA-256."""
    return Item.objects.exclude(map_file="").order_by("map_file").values_list("map_file", "map_sha256").distinct()


def _read_image(generation: Generation) -> None:
    content = files.read_whole(str(generation.image.name), generation.image_sha256)
    with Image.open(io.BytesIO(content)) as image:
        image.load()


def _why_not(read: Callable[..., object], *which: object) -> str:
    """Why a file cannot be read; empty where it can."""
    try:
        read(*which)
    except StorageUnusable:
        raise
    except FileNotFoundError:
        return "there is no such file"
    except (OSError, AttributionError, SyntaxError, ValueError) as error:
        return str(error)
    return ""


def _items_of(generation: Generation) -> tuple[str, ...]:
    return _named(Item.objects.filter(Q(generation=generation) | Q(second_generation=generation)))


def _named(items: QuerySet[Item]) -> tuple[str, ...]:
    places = items.order_by("study", "position").values_list("study__slug", "position")
    return tuple(f"{slug}/{position}" for slug, position in places)
