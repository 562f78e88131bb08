"""Reading arrays from an ``.npz`` of unknown origin: no pickle, and nothing unpacked beyond its stated size."""

from __future__ import annotations

import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from attribution.errors import MapFileError

_HEADER = re.compile(
    rb"\{'descr': '(?P<dtype>[<>|=]\w{1,8})', 'fortran_order': False, "
    rb"'shape': \((?P<shape>\d{1,9}(?:, \d{1,9})*,?)\), \} *\n"
)

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


def read_array(archive: zipfile.ZipFile, field: str, dtype: str, dimensions: int, name: str) -> NDArray[Any]:
    """The array ``field`` of exactly ``dtype`` ("<f2", "<f4") and that many ``dimensions``, in C order.

    Raises MapFileError naming ``name`` and ``field`` when it is missing, of another kind, larger than
    LARGEST_ARRAY, or shorter or longer than its header says.
    """
    try:
        with archive.open(f"{field}.npy") as file:
            found, shape = _header(file)
            size = math.prod(shape) * np.dtype(dtype).itemsize
            if found != dtype or len(shape) != dimensions:
                raise ValueError(f"it is {len(shape)}-D {found}, not {dimensions}-D {dtype}")
            if size > LARGEST_ARRAY or min(shape) < 1:
                raise ValueError(f"its shape {shape} is beyond what heat maps have")
            data = file.read(size + 1)
        if len(data) != size:
            raise ValueError(f"it holds {len(data)} bytes or more where {size} were announced")
    except KeyError as error:
        raise MapFileError(f"{name}: field {field!r} is missing") from error
    except ValueError as error:
        raise MapFileError(f"{name}: field {field!r} is not an array of ours: {error}") from error
    return np.frombuffer(data, dtype).reshape(shape)


def _header(file: IO[bytes]) -> tuple[str, tuple[int, ...]]:
    """Type and shape of an ``.npy`` member, by the one form that NumPy gives our arrays; evaluates nothing."""
    magic, length = file.read(8), int.from_bytes(file.read(2), "little")
    match = _HEADER.fullmatch(file.read(length))
    if magic != b"\x93NUMPY\x01\x00" or match is None:
        raise ValueError("it has another header than plain .npy arrays in C order")
    return match["dtype"].decode(), tuple(int(side) for side in match["shape"].split(b",") if side.strip())
