"""How many images a recipe draws together on a device: a guess at first, halved when memory runs out, remembered.

Sums of floating-point numbers depend on the shape of the batch that they are computed in, so that an image's last bits
would depend on its company. Images are therefore drawn in groups of one size, the same for a recipe on a device from
one day to the next, and the last group is filled up to it.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Protocol

import torch

from attribution.records import Recipe

logger = logging.getLogger(__name__)

FILE = "batches.json"
GPU_POSITIONS = 16 * 64 * 64
"""Latent positions that a group has at first on a GPU: sixteen images of 512 x 512 pixels."""
CPU_POSITIONS = 32 * 32
"""Below this, much of a denoiser's call on a CPU is overhead. Above, images gain nothing by being drawn together."""


class SizeMemory(Protocol):
    """Where the sizes that fit are remembered; ``device`` is a GPU's product name or ``cpu``."""

    def get(self, recipe: Recipe, device: str) -> int | None:
        """Images of the recipe that fit together; None when nothing is known."""

    def put(self, recipe: Recipe, device: str, images: int) -> None:
        """Remember it; called from the thread that draws."""


class GroupSize:
    """The size of the groups of one recipe on one device; ``positions`` are an image's latent positions, a number."""

    def __init__(self, recipe: Recipe, device: torch.device, positions: int, memory: SizeMemory) -> None:
        self._recipe, self._device, self._memory = recipe, device_name(device), memory
        self.images = min(first_guess(device, positions), memory.get(recipe, self._device) or 1 << 30)

    def halve(self) -> None:
        """Draw half as many together from now on, and remember it."""
        self.images = max(1, self.images // 2)
        logger.warning(
            "Memory ran out: %d images are drawn together from now on. The pixels of images made before in larger "
            "groups may differ by 1 of 255 if they are drawn again.",
            self.images,
        )
        self._memory.put(self._recipe, self._device, self.images)


class SizesInFile:
    """Sizes in ``batches.json`` in a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def get(self, recipe: Recipe, device: str) -> int | None:
        return self._read().get(_key(recipe, device))

    def put(self, recipe: Recipe, device: str, images: int) -> None:
        content = {**self._read(), _key(recipe, device): images}
        temporary = self._path.with_name(f".{FILE}.{os.getpid()}.part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
            temporary.replace(self._path)
        except OSError as error:
            logger.warning("The batch size cannot be remembered in %s: %s", self._path, error)

    def _read(self) -> dict[str, int]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        sizes = content.items() if isinstance(content, dict) else ()
        return {key: size for key, size in sizes if isinstance(size, int) and size >= 1}


def _key(recipe: Recipe, device: str) -> str:
    return f"{recipe.digest[:16]} on {device}"


def default_cache() -> Path:
    """``$ATTRIBUTION_CACHE``, else ``attribution`` in the user's cache folder."""
    if folder := os.environ.get("ATTRIBUTION_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "attribution"


def first_guess(device: torch.device, positions: int) -> int:
    """Images drawn together before anything is known; depends on nothing that changes from day to day.

    With several CPU threads it is one image: where the threads divide a batch decides how a row's sums are rounded.
    """
    if device.type != "cpu":
        return max(1, GPU_POSITIONS // positions)
    return max(1, CPU_POSITIONS // positions) if torch.get_num_threads() == 1 else 1


def device_name(device: torch.device) -> str:
    """A GPU by its product's name, since its memory is what counts."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device, or the machine, had too little memory left."""
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)
    )
