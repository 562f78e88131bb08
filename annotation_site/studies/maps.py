"""The heat map that an item shows, whatever it comes from, and how it travels to a browser."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation_site.stimuli import files
from annotation_site.stimuli.stored_maps import heat_maps
from annotation_site.studies.models import Item
from attribution.errors import MapFileError
from attribution.maps import HeatMap, controls

LARGEST_SIDE = 4096
HEADER = np.dtype("<u2")


def item_map(item: Item) -> NDArray[np.float32]:
    """The map that the item shows: float32 [height, width], divided by its largest value, so at most 1.

    A map that is zero everywhere stays so. A stored file (``map_source`` "file") is an ``.npy`` of float32 or uint8
    [height, width] whose hash must be the item's. Raises WordError where the word was not traced, MapFileError where a
    file is not what it should be, OSError where it cannot be read.
    """
    if item.map_source == Item.MapSource.FILE:
        word = HeatMap(_stored(item.map_file, item.map_sha256))
    else:
        word = _from_maps(item)
    return word.normalised().values


def map_bytes(item: Item) -> bytes:
    """The item's map as browsers draw it: rows and columns as two uint16, then a byte a value, row by row.

    Little-endian; a byte is the value of :func:`item_map` times 255, rounded. About 4 KB for a map of 64 x 64.
    """
    levels = map_levels(item)
    return np.array(levels.shape, dtype=HEADER).tobytes() + levels.tobytes()


def map_levels(item: Item) -> NDArray[np.uint8]:
    """The item's map in steps of 1/255 of its largest value, uint8 [height, width]: what every screen draws."""
    return np.asarray(np.rint(item_map(item) * 255), dtype=np.uint8)


def _from_maps(item: Item) -> HeatMap:
    maps = heat_maps(item.generation)
    if item.map_source == Item.MapSource.OTHER_WORD:
        shown: Any = item.map_word
        return maps.word(shown.start, shown.end)
    word = maps.word(item.word.start, item.word.end)
    if item.map_source == Item.MapSource.BLOB:
        return controls.centred_blob(word)
    if item.map_source == Item.MapSource.UNIFORM:
        return controls.uniform(word)
    return word


def _stored(name: str, sha256: str) -> NDArray[np.float32]:
    values = _array(files.read_whole(name, sha256), name)
    if values.dtype not in (np.uint8, np.float32) or values.ndim != 2 or not 0 < values.size <= LARGEST_SIDE**2:
        raise MapFileError(f"{name} holds {values.dtype} {values.shape}: a map is float32 or uint8 [height, width]")
    floats = values.astype(np.float32)
    if not np.isfinite(floats).all() or (floats < 0).any():
        raise MapFileError(f"{name} holds values that are negative or not finite")
    return floats


def _array(content: bytes, name: str) -> NDArray[Any]:
    try:
        return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))
    except (ValueError, OSError, EOFError) as error:
        raise MapFileError(f"{name} is not an .npy file: {error}") from error
