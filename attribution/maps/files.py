"""Heat-map files: ``.npz`` for the numbers, ``.json`` beside it for their meaning; no pickle on either side.

The ``.npz`` holds ``maps`` (float16 [token, height, width], each token's map divided by its largest value, for
attention probabilities of 1e-5 and less would lose their digits in float16) and ``peaks`` (float32 [token], those
largest values). Equal maps give equal bytes. Files are read as from a stranger: shapes are checked against
limits before anything is unpacked.
"""

from __future__ import annotations

import json
import os
from dataclasses import astuple
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from attribution.errors import MapFileError
from attribution.maps.alignment import Alignment, Token
from attribution.maps.archive import read_archive, read_array
from attribution.maps.heat_maps import Floats, HeatMaps

FORMAT = "attest heat maps"
VERSION = 1
LARGEST_JSON = 4 << 20


def to_bytes(maps: HeatMaps) -> tuple[bytes, bytes]:
    """The contents of the ``.npz`` and of the ``.json`` file."""
    peaks = maps.tokens.max(axis=(1, 2))
    buffer = BytesIO()
    np.savez_compressed(buffer, maps=maps.normalised().tokens.astype("<f2"), peaks=peaks.astype("<f4"))
    return buffer.getvalue(), json.dumps(_description(maps), ensure_ascii=True, indent=1).encode()


def from_bytes(npz: bytes, description: bytes, *, name: str = "heat maps") -> HeatMaps:
    """Read what :func:`to_bytes` wrote; ``name`` is how errors call the files (no suffix).

    Raises MapFileError naming the file and the field at fault.
    """
    fields = _Fields(_parsed(description, f"{name}.json"), f"{name}.json")
    kept, alignment = fields.kept(), fields.alignment()
    try:
        return HeatMaps(
            tokens=_tokens(npz, f"{name}.npz", len(kept)),
            alignment=alignment,
            kept=kept,
            steps=fields.whole("steps"),
            layers=fields.whole("layers"),
            recipe=fields.optional("recipe", dict),
            seed=fields.optional("seed", int),
            second=fields.second(),
            method=fields.optional("method", str) or "daam",
        )
    except (ValueError, TypeError) as error:
        raise MapFileError(f"{name}: {error}") from error


def save(maps: HeatMaps, prefix: str | Path) -> tuple[Path, Path]:
    """Write ``prefix.npz`` and ``prefix.json``, each under a temporary name first; returns their paths."""
    paths = _paths(prefix)
    for path, content in zip(paths, to_bytes(maps), strict=True):
        _write(path, content)
    return paths


def load(prefix: str | Path) -> HeatMaps:
    """Read ``prefix.npz`` and ``prefix.json``; raises MapFileError naming the file and the field at fault."""
    npz, description = (_read(path) for path in _paths(prefix))
    return from_bytes(npz, description, name=str(prefix))


def _description(maps: HeatMaps) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        **_aligned(maps.alignment),
        "second": maps.second and _aligned(maps.second),
        "kept": list(maps.kept),
        "steps": maps.steps,
        "layers": maps.layers,
        "recipe": maps.recipe,
        "seed": maps.seed,
        "method": maps.method,
    }


def _aligned(alignment: Alignment) -> dict[str, Any]:
    tokens = [list(astuple(token)) for token in alignment.tokens]
    return {"prompt": alignment.prompt, "cut": alignment.cut, "tokens": tokens}


def _tokens(npz: bytes, name: str, count: int) -> Floats:
    with read_archive(npz, name) as archive:
        maps = read_array(archive, "maps", "<f2", 3, name)
        peaks = read_array(archive, "peaks", "<f4", 1, name)
    if not len(maps) == len(peaks) == count:
        raise MapFileError(f"{name}: {len(maps)} maps and {len(peaks)} peaks for {count} tokens in 'kept'")
    tokens = np.asarray(maps.astype(np.float32) * peaks[:, None, None])
    if not np.isfinite(tokens).all() or (tokens < 0).any():
        raise MapFileError(f"{name}: 'maps' or 'peaks' holds values that are negative or not finite")
    return tokens


def _parsed(description: bytes, name: str) -> dict[str, Any]:
    if len(description) > LARGEST_JSON:
        raise MapFileError(f"{name}: {len(description)} bytes are more than the {LARGEST_JSON} that any heat maps need")
    try:
        fields = json.loads(description)
    except (ValueError, RecursionError) as error:
        raise MapFileError(f"{name} is not JSON: {error}") from error
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise MapFileError(f"{name}: field 'format' is not {FORMAT!r}: not one of our files")
    if fields.get("version") != VERSION:
        raise MapFileError(f"{name}: field 'version' is {fields.get('version')!r}; this release reads {VERSION}")
    return fields


class _Fields:
    """Typed access to the description's fields, with errors that name file and field."""

    def __init__(self, fields: dict[str, Any], name: str) -> None:
        self._fields = fields
        self._name = name

    def whole(self, field: str) -> int:
        value: Any = self._fields.get(field)
        if not _is_whole(value):
            raise self._error(field, "a whole number of at least 0", value)
        return int(value)

    def optional(self, field: str, kind: type) -> Any:
        value = self._fields.get(field)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            raise self._error(field, f"{kind.__name__} or null", value)
        return value

    def kept(self) -> tuple[int, ...]:
        value = self._fields.get("kept")
        if not isinstance(value, list) or not all(_is_whole(position) for position in value):
            raise self._error("kept", "a list of positions", value)
        return tuple(value)

    def alignment(self) -> Alignment:
        rows = self._fields.get("tokens")
        if not isinstance(rows, list) or not all(_is_token(row) for row in rows):
            raise self._error("tokens", "a list of [text, start, end, special]", rows)
        tokens = tuple(Token(*row) for row in rows)
        return Alignment(self.optional("prompt", str), tokens, self.optional("cut", int))

    def second(self) -> Alignment | None:
        fields = self.optional("second", dict)
        return None if fields is None else _Fields(fields, f"{self._name}: field 'second'").alignment()

    def _error(self, field: str, wanted: str, value: object) -> MapFileError:
        return MapFileError(f"{self._name}: field {field!r} should be {wanted}, not {str(value)[:60]!r}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_token(row: object) -> bool:
    return (
        isinstance(row, list)
        and len(row) == 4
        and isinstance(row[0], str)
        and _is_whole(row[1])
        and _is_whole(row[2])
        and isinstance(row[3], bool)
    )


def _paths(prefix: str | Path) -> tuple[Path, Path]:
    prefix = Path(prefix)
    return prefix.with_name(f"{prefix.name}.npz"), prefix.with_name(f"{prefix.name}.json")


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MapFileError(f"{path} cannot be read: {error.strerror or error}") from error
