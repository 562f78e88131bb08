"""Reading arrays from an ``.npz`` of unknown origin: no pickle, and nothing unpacked beyond its stated size."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from attribution.errors import MapFileError

LARGEST_ARRAY = 256 << 20
"""Bytes that one unpacked array may take: 2,048 tokens at 256 x 256 in float16."""


@contextmanager
def read_archive(content: bytes, name: str) -> Iterator[zipfile.ZipFile]:
    """The archive within ``content``; whatever is wrong with it becomes a MapFileError naming ``name``."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise MapFileError(f"{name} is corrupt or not an .npz file: {error}") from error


def read_array(archive: zipfile.ZipFile, field: str, dtype: DTypeLike, dimensions: int, name: str) -> NDArray[Any]:
    """The array ``field`` of exactly ``dtype`` and that many ``dimensions``, in C order.

    Raises MapFileError naming ``name`` and ``field`` when it is missing, of another kind, larger than
    LARGEST_ARRAY, or shorter or longer than its header says.
    """
    try:
        with archive.open(f"{field}.npy") as file:
            shape, fortran, found = _header(file)
            size = math.prod(shape) * found.itemsize
            if found != np.dtype(dtype) or len(shape) != dimensions or fortran:
                raise MapFileError(
                    f"{name}: field {field!r} is {found} {shape}, not {np.dtype(dtype)} of {dimensions}-D"
                )
            if size > LARGEST_ARRAY or min(shape) < 1:
                raise MapFileError(f"{name}: field {field!r} has the shape {shape}, beyond what heat maps have")
            data = file.read(size + 1)
    except KeyError as error:
        raise MapFileError(f"{name}: field {field!r} is missing") from error
    except (ValueError, SyntaxError) as error:
        raise MapFileError(f"{name}: field {field!r} has no valid header: {error}") from error
    if len(data) != size:
        raise MapFileError(f"{name}: field {field!r} holds {len(data)} bytes or more where {size} were announced")
    return np.frombuffer(data, found).reshape(shape)


def _header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    if npy.read_magic(file) != (1, 0):
        raise ValueError("only version 1.0 of the .npy format is read")
    return npy.read_array_header_1_0(file)
