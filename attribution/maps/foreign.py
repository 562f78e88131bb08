"""Pictures and maps of unknown origin: PNG and WebP images; maps as ``.npy``, ``.npz`` or grey PNG. No pickle.

Sizes are read from headers and checked before anything is decoded or unpacked. All errors are MapFileError.
"""

from __future__ import annotations

import math
import re
import struct
from io import BytesIO
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attribution.errors import MapFileError
from attribution.maps.archive import read_archive

LARGEST_IMAGE_BYTES = 32 << 20
LARGEST_MAP_BYTES = 64 << 20
LARGEST_SIDE = 4096
SMALLEST_SIDE = 8
MEMBERS = 1000
DTYPES = frozenset(
    {"|b1", "|u1", "|i1", *(end + kind for end in "<>" for kind in ("u2", "i2", "u4", "i4", "f2", "f4", "f8"))}
)
_HEADER = re.compile(
    rb"\{'descr': '(?P<dtype>[<>|=]\w{1,8})', 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>\d{1,9}(?:, \d{1,9})*,?)\), \} *\n"
)
_PNG, _NPY, _ZIP = b"\x89PNG\r\n\x1a\n", b"\x93NUMPY", b"PK\x03\x04"
_BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, struct.error, EOFError, OverflowError, MemoryError, IndexError,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip


def picture_size(content: bytes, name: str) -> tuple[int, int]:
    """Width and height of a PNG or WebP, from its header alone."""
    try:
        size = _png_size(content) if content.startswith(_PNG) else _webp_size(content)
    except struct.error:
        size = None
    if size is None:
        raise MapFileError(f"{name} is neither a PNG nor a WebP: save it as one of them")
    return size


def read_picture(content: bytes, name: str) -> Image.Image:
    """A still PNG or WebP as RGB pixels and nothing else; transparent parts are laid on white."""
    _require_small(content, LARGEST_IMAGE_BYTES, name)
    width, height = picture_size(content, name)
    if not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in (width, height)):
        raise MapFileError(
            f"{name} is {width} x {height} pixels: an image has {SMALLEST_SIDE} to {LARGEST_SIDE} on each side"
        )
    image = _decoded(content, name, ("PNG", "WEBP"), (width, height))
    if image.mode == "P" or "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return _pixels(Image.alpha_composite(white, image))
    if image.mode.startswith("I"):
        raise MapFileError(f"{name} has 16-bit grey pixels: save it with 8 bits a channel")
    return _pixels(image)


def read_map(content: bytes, name: str, member: str = "") -> NDArray[np.float32]:
    """A map, float32 [height, width], finite and not negative; ``member`` names the array of an ``.npz``.

    Its kind is told by its first bytes. An ``.npz`` of one array needs no ``member``.
    """
    _require_small(content, LARGEST_MAP_BYTES, name)
    if member and not content.startswith(_ZIP):
        raise MapFileError(f"{name} is no .npz, so it has no array {member!r}: leave out what follows '#'")
    if content.startswith(_PNG):
        return _checked(_grey(content, name), name)
    if content.startswith(_NPY):
        try:
            return _checked(_array(BytesIO(content)), name)
        except ValueError as error:
            raise MapFileError(f"{name}: {error}") from error
    if content.startswith(_ZIP):
        return _checked(_of_archive(content, name, member), name)
    raise MapFileError(f"{name} is no map: give an .npy, an .npz, or a grey PNG")


def _of_archive(content: bytes, name: str, member: str) -> NDArray[Any]:
    with read_archive(content, name) as archive:
        names = archive.namelist()
        if len(names) > MEMBERS:
            raise MapFileError(f"{name} holds {len(names)} arrays: at most {MEMBERS} are read")
        wanted = f"{member}.npy" if member else names[0] if len(names) == 1 else ""
        if names.count(wanted) != 1:
            known = ", ".join(each.removesuffix(".npy") for each in names[:10])
            raise MapFileError(f"{name} has no single array {member!r}: name one after '#', of {known[:200]}")
        try:
            with archive.open(wanted) as file:
                return _array(file)
        except ValueError as error:
            raise MapFileError(f"{name}: array {wanted.removesuffix('.npy')!r}: {error}") from error


def _array(file: IO[bytes]) -> NDArray[Any]:
    dtype, shape, fortran = _header(file)
    if dtype not in DTYPES:
        raise ValueError(f"it holds {dtype!r}; a map holds whole numbers or floats of at most 8 bytes, never objects")
    if len(shape) != 2 or not all(1 <= side <= LARGEST_SIDE for side in shape):
        raise ValueError(f"its shape is {shape}; a map is [height, width], at most {LARGEST_SIDE} on each side")
    size = math.prod(shape) * np.dtype(dtype).itemsize
    data = file.read(size + 1)
    if len(data) != size:
        raise ValueError(
            f"it holds {len(data)} bytes{' or more' if len(data) > size else ''}, not the {size} announced"
        )
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _header(file: IO[bytes]) -> tuple[str, tuple[int, ...], bool]:
    """Type, shape and order of an ``.npy``, by the form that NumPy gives them; evaluates nothing."""
    magic = file.read(8)
    width = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}.get(magic[6:], 0)
    length = int.from_bytes(file.read(width), "little") if width else 0
    match = _HEADER.fullmatch(file.read(length)) if 0 < length <= 4096 else None
    if not magic.startswith(_NPY) or match is None:
        raise ValueError("its header is none that NumPy writes for a plain array")
    shape = tuple(int(side) for side in match["shape"].split(b",") if side.strip())
    return match["dtype"].decode(), shape, match["fortran"] == b"True"


def _checked(values: NDArray[Any], name: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):
        floats = np.ascontiguousarray(values, dtype=np.float32)
    if not np.isfinite(floats).all():
        raise MapFileError(f"{name} holds values that are not finite (NaN, infinite): replace them")
    if (floats < 0).any():
        raise MapFileError(f"{name} holds negative values, {floats.min():g} the least: a map says how much, from 0 up")
    return floats


def _grey(content: bytes, name: str) -> NDArray[Any]:
    width, height = picture_size(content, name)
    if not all(1 <= side <= LARGEST_SIDE for side in (width, height)):
        raise MapFileError(f"{name} is {width} x {height}: a map has at most {LARGEST_SIDE} pixels on each side")
    image = _decoded(content, name, ("PNG",), (width, height))
    if image.mode not in {"1", "L", "I", "I;16", "I;16B"}:
        raise MapFileError(f"{name} has colours ({image.mode}): a map is a grey PNG without transparency")
    return np.asarray(image)


def _decoded(content: bytes, name: str, formats: tuple[str, ...], size: tuple[int, int]) -> Image.Image:
    try:
        with Image.open(BytesIO(content), formats=formats) as image:
            if image.size != size or getattr(image, "n_frames", 1) != 1:
                raise MapFileError(f"{name} is animated, or its header lies: give one still image")
            image.load()
            return image.copy()
    except _BROKEN as error:
        raise MapFileError(f"{name} cannot be decoded ({type(error).__name__}): it is damaged or incomplete") from error


def _pixels(image: Image.Image) -> Image.Image:
    """The pixels alone: no metadata, no palette."""
    plain = image.convert("RGB")
    plain.info = {}
    return plain


def _require_small(content: bytes, most: int, name: str) -> None:
    if len(content) > most:
        raise MapFileError(f"{name} is larger than {most >> 20} MiB: make it smaller")


def _png_size(content: bytes) -> tuple[int, int] | None:
    if content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _webp_size(content: bytes) -> tuple[int, int] | None:
    """By the first chunk: VP8X (extended), VP8L (lossless) or VP8 (lossy); RFC 9649, section 2."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    kind, body = content[12:16], content[20:30]
    if kind == b"VP8X" and len(body) == 10:
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L" and body[:1] == b"\x2f" and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None
