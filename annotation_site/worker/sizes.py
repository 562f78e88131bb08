"""How many images of a recipe fit together into this host's device, kept in the database."""

from __future__ import annotations

import socket

from annotation_site.stimuli.models import FittingBatch
from attribution.records import Recipe


class FittingSizes:
    """The memory that :func:`attribution.generate` asks and tells; what it is told is stored by :meth:`store`.

    It is told in the thread that draws, which should hold no connection to the database.
    """

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], int] = {}

    def get(self, recipe: Recipe, device: str) -> int | None:
        known = FittingBatch.objects.filter(host=socket.gethostname(), device=device, recipe=recipe.digest)
        return known.values_list("images", flat=True).first()

    def put(self, recipe: Recipe, device: str, images: int) -> None:
        self._told[recipe.digest, device] = images

    def store(self) -> None:
        for (digest, device), images in self._told.items():
            FittingBatch.objects.update_or_create(
                host=socket.gethostname(), device=device, recipe=digest, defaults={"images": images}
            )
        self._told.clear()
