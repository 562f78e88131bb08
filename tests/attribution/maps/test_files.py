"""Heat-map files: what goes in comes out, and nothing else gets in."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.errors import MapFileError
from attribution.maps import Alignment, HeatMaps, Token
from attribution.maps.archive import LARGEST_ARRAY

ALIGNMENT = Alignment("ein Straßenhund", (Token("<s>", 0, 0, True), Token("ein</w>", 0, 3), Token("ß", 8, 9)), cut=9)
RECIPE = {"model": "tinyworld", "steps": 30}


def made(scale: float = 1e-5) -> HeatMaps:
    tokens = np.random.default_rng(0).random((3, 6, 4)).astype(np.float32) * np.float32(scale)
    tokens[2] = 0
    return HeatMaps(tokens, ALIGNMENT, (0, 1, 2), steps=30, layers=9, recipe=RECIPE, seed=7, method="blob")


@pytest.mark.parametrize("scale", [1, 1e-5, 1e-12])
def test_round_trip_keeps_small_probabilities(scale: float) -> None:
    maps = made(scale)
    back = HeatMaps.from_bytes(*maps.to_bytes())
    assert back.tokens.dtype == np.float32
    assert np.abs(back.tokens - maps.tokens).max() <= maps.tokens.max() * 2**-11
    np.testing.assert_array_equal(back.tokens.max(axis=(1, 2)), maps.tokens.max(axis=(1, 2)))
    for field in ("alignment", "kept", "steps", "layers", "recipe", "seed", "method"):
        assert getattr(back, field) == getattr(maps, field)


def test_files_that_name_no_method_are_daams() -> None:
    npz, description = made().to_bytes()
    older = {name: value for name, value in json.loads(description).items() if name != "method"}
    assert HeatMaps.from_bytes(npz, json.dumps(older).encode()).method == "daam"


def test_saving_what_was_loaded_changes_no_byte() -> None:
    files = made().to_bytes()
    assert HeatMaps.from_bytes(*files).to_bytes() == files
    assert made().to_bytes() == files


def test_embeddings_have_no_prompt() -> None:
    maps = HeatMaps(np.ones((2, 2, 2), np.float32), Alignment(None), (0, 1), 1, 1)
    assert HeatMaps.from_bytes(*maps.to_bytes()).prompt is None


def test_save_and_load_by_prefix(tmp_path: Path) -> None:
    paths = made().save(tmp_path / "image.1")
    assert [path.name for path in paths] == ["image.1.npz", "image.1.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.1.json", "image.1.npz"]
    assert HeatMaps.load(tmp_path / "image.1").seed == 7


def test_numpy_reads_the_npz_without_pickle() -> None:
    with np.load(io.BytesIO(made().to_bytes()[0]), allow_pickle=False) as arrays:
        assert {name: arrays[name].dtype.name for name in arrays} == {"maps": "float16", "peaks": "float32"}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MapFileError, match=r"nowhere\.npz cannot be read"):
        HeatMaps.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", "daam"),
        ("version", 2),
        ("version", None),
        ("steps", -1),
        ("steps", True),
        ("layers", "9"),
        ("layers", 1.5),
        ("prompt", 3),
        ("cut", "9"),
        ("tokens", None),
        ("tokens", [["a", 0, 1]]),
        ("tokens", [["a", 0, 1, 1]]),
        ("tokens", [["a", -1, 1, False]]),
        ("kept", [0, 1, "2"]),
        ("kept", [0, 1, -2]),
        ("kept", {}),
        ("recipe", []),
        ("seed", True),
        ("method", 1),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    npz, description = made().to_bytes()
    changed = json.dumps({**json.loads(description), field: value}).encode()
    with pytest.raises(MapFileError, match=rf"x\.json: field '{field}'"):
        HeatMaps.from_bytes(npz, changed, name="x")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_json(content: bytes) -> None:
    with pytest.raises(MapFileError, match=r"x\.json"):
        HeatMaps.from_bytes(made().to_bytes()[0], content, name="x")


def test_a_json_of_any_size_is_not_parsed() -> None:
    with pytest.raises(MapFileError, match="bytes are more than"):
        HeatMaps.from_bytes(made().to_bytes()[0], b" " * (5 << 20))


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def npy(array: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def announced(shape: str, content: bytes = b"", dtype: str = "<f2") -> bytes:
    """An ``.npy`` whose header says ``shape``, whatever follows."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


MAPS, PEAKS = npy(np.zeros((3, 6, 4), np.float16)), npy(np.ones(3, np.float32))
HUGE = f"({LARGEST_ARRAY}, 1024, 1024)"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"peaks": PEAKS}, "'maps' is missing"),
        ({"maps": MAPS}, "'peaks' is missing"),
        ({"maps": announced(HUGE), "peaks": PEAKS}, "'maps' .* beyond what heat maps have"),
        ({"maps": announced("(0, 6, 4)"), "peaks": PEAKS}, "'maps' .* beyond what heat maps have"),
        ({"maps": announced("(-3, 6, 4)"), "peaks": PEAKS}, "'maps' .* another header"),
        ({"maps": announced("(3, 6, 4)", bytes(50_000_000)), "peaks": PEAKS}, "'maps' .* holds 145 bytes or more"),
        ({"maps": announced("(3, 6, 4)", bytes(100)), "peaks": PEAKS}, "'maps' .* holds 100 bytes"),
        ({"maps": announced("(3, 6, 4", bytes(144)), "peaks": PEAKS}, "'maps' .* another header"),
        ({"maps": announced("(3, 6, 4)", bytes(9), "|O"), "peaks": PEAKS}, "'maps' .* not 3-D <f2"),
        ({"maps": npy(np.array([{}]), allow_pickle=True), "peaks": PEAKS}, "'maps' .* not 3-D <f2"),
        ({"maps": MAPS.replace(b"False", b"True "), "peaks": PEAKS}, "'maps' .* another header"),
        ({"maps": MAPS.replace(b"NUMPY\x01", b"NUMPY\x02"), "peaks": PEAKS}, "'maps' .* another header"),
        ({"maps": npy(np.zeros((3, 6, 4))), "peaks": PEAKS}, "'maps' .* not 3-D <f2"),
        ({"maps": npy(np.zeros((2, 6, 4), np.float16)), "peaks": PEAKS}, "2 maps and 3 peaks for 3"),
        ({"maps": MAPS, "peaks": npy(np.full(3, np.nan, np.float32))}, "not finite"),
        ({"maps": npy(np.full((3, 6, 4), -1, np.float16)), "peaks": PEAKS}, "negative"),
    ],
)
def test_hostile_archives(members: dict[str, bytes], message: str) -> None:
    with pytest.raises(MapFileError, match=message) as caught:
        HeatMaps.from_bytes(archive(**members), made().to_bytes()[1], name="x")
    assert str(caught.value).startswith("x.npz")


@given(st.data())
def test_damaged_archives_raise_nothing_else(data: st.DataObject) -> None:
    npz, description = made().to_bytes()
    damaged = bytearray(npz[: data.draw(st.integers(0, len(npz)))])
    for place in data.draw(st.lists(st.integers(0, max(0, len(damaged) - 1)), max_size=4)):
        if damaged:
            damaged[place] ^= data.draw(st.integers(1, 255))
    with suppress(MapFileError):
        assert HeatMaps.from_bytes(bytes(damaged), description).tokens.shape == (3, 6, 4)
