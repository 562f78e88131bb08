"""item_map: what an item shows, whatever it comes from, and the bytes that it travels as."""

from __future__ import annotations

import io

import numpy as np
import pytest

from annotation_site.stimuli import files
from annotation_site.storage import FileDamaged
from annotation_site.studies.maps import item_map, map_bytes
from annotation_site.studies.models import Item
from attribution.errors import MapFileError

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(make_study) -> Item:
    # 'a red dog 2 runs' with 'red' (2-5) as the target: its blob lies at row 8, column 5 of 16 x 16.
    make_study(items=3)
    return Item.objects.select_related("generation", "word").get(word__text="red")


def npy(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def stored(item: Item, content: bytes, sha256: str | None = None) -> Item:
    files.write("maps/one.npy", content)
    item.map_source, item.map_file = Item.MapSource.FILE, "maps/one.npy"
    item.map_sha256 = sha256 or files.sha256(content)
    item.full_clean()
    item.save()
    return item


def peak(values: np.ndarray) -> tuple[int, int]:
    row, column = np.unravel_index(values.argmax(), values.shape)
    return int(row), int(column)


def test_a_words_own_map(item):
    values = item_map(item)
    assert (values.dtype, values.shape, values.max()) == (np.float32, (16, 16), 1)
    assert peak(values) == (8, 5)
    # exp(-d^2 / 18) three columns away, as the map was made; stored in float16.
    assert values[8, 8] == pytest.approx(np.exp(-0.5), abs=1e-3)


def test_another_words_map(item):
    item.map_source, item.map_word = Item.MapSource.OTHER_WORD, item.word.prompt.words.get(text="runs")
    item.save()
    assert peak(item_map(item)) == (8, 14)


def test_controls(item):
    item.map_source = Item.MapSource.UNIFORM
    assert (item_map(item) == 1).all()
    item.map_source = Item.MapSource.BLOB
    blob = item_map(item)
    assert blob == pytest.approx(blob[::-1, ::-1])
    assert blob[7:9, 7:9] == pytest.approx(np.ones((2, 2)))
    assert blob[0, 0] < 0.01


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 1], [1, 0]], dtype=np.uint8), [[0, 1], [1, 0]]),
        (np.array([[0, 128, 64]], dtype=np.uint8), [[0, 1, 0.5]]),
        (np.array([[2.0], [0.5]], dtype=np.float32), [[1], [0.25]]),
        (np.zeros((2, 3), dtype=np.float32), [[0, 0, 0], [0, 0, 0]]),
    ],
)
def test_a_stored_file_is_divided_by_its_largest_value(item, values, expected):
    assert item_map(stored(item, npy(values))).tolist() == expected


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"not an array", "is not an .npy file"),
        (b"", "is not an .npy file"),
        (npy(np.array([[{}]], dtype=object)), "is not an .npy file"),
        (npy(np.zeros((2, 2, 2), dtype=np.float32)), "a map is float32 or uint8"),
        (npy(np.zeros((2, 2), dtype=np.float64)), "a map is float32 or uint8"),
        (npy(np.zeros((0, 2), dtype=np.float32)), "a map is float32 or uint8"),
        (npy(np.array([[np.nan, 1]], dtype=np.float32)), "negative or not finite"),
        (npy(np.array([[-1, 1]], dtype=np.float32)), "negative or not finite"),
    ],
)
def test_a_stored_file_that_is_no_map_is_named(item, content, complaint):
    with pytest.raises(MapFileError, match=r"maps/one\.npy") as caught:
        item_map(stored(item, content))
    assert complaint in str(caught.value)


def test_a_stored_file_that_was_exchanged_is_refused(item):
    with pytest.raises(FileDamaged, match=r"maps/one.npy .*its hash differs"):
        item_map(stored(item, npy(np.ones((2, 2), dtype=np.uint8)), sha256="0" * 64))


def test_the_bytes_are_the_shape_and_a_byte_a_value(item):
    values = np.array([[0, 0.1, 1], [0.5, 0.25, 0.75]], dtype=np.float32)
    # 255 times 0.1, 0.5, 0.25, 0.75 is 25.5, 127.5, 63.75, 191.25; halves go to the even neighbour.
    assert map_bytes(stored(item, npy(values))) == bytes([2, 0, 3, 0, 0, 26, 255, 128, 64, 191])


def test_a_map_of_64_by_64_travels_as_four_kilobytes(item):
    assert len(map_bytes(stored(item, npy(np.ones((64, 64), dtype=np.uint8))))) == 4100
