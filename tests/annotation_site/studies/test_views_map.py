"""/stimuli/maps/... : an item's heat map as bytes and as a picture, under a name that tells nothing."""

from __future__ import annotations

import io
import logging
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation
from annotation_site.studies.addresses import map_picture_url, map_url
from annotation_site.studies.codenames import codename, number
from annotation_site.studies.models import Item

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(make_study) -> Item:
    # 'a red dog 2 runs' with 'red' (2-5) as the target: its blob lies at row 8, column 5 of 16 x 16.
    make_study(items=3)
    return Item.objects.select_related("generation", "word").get(word__text="red")


def pixels(response) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(response.content)))


def test_the_bytes_hold_the_shape_and_the_map(client, item):
    response = client.get(map_url(item, None))
    assert response["Content-Type"] == "application/octet-stream"
    assert np.frombuffer(response.content[:4], dtype="<u2").tolist() == [16, 16]
    levels = np.frombuffer(response.content[4:], dtype=np.uint8).reshape(16, 16)
    assert levels[8, 5] == 255
    # exp(-1 / 2) of 255, three columns beside the peak.
    assert levels[8, 8] == 155


@pytest.mark.parametrize(
    "address",
    [lambda item: map_url(item, None), lambda item: map_picture_url(item, layer="map", colours="grey", minutes=None)],
)
def test_it_is_kept_for_good_and_asked_for_again_only_by_its_tag(client, item, address):
    response = client.get(address(item))
    assert "immutable" in response["Cache-Control"]
    bare = client.get(address(item).split("?")[0])
    assert "no-cache" in bare["Cache-Control"]
    again = client.get(address(item), headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_picture_is_brightest_where_the_map_is(client, item):
    picture = pixels(client.get(map_picture_url(item, layer="map", colours="inferno")))
    assert picture.shape == (256, 256, 3)
    rows, columns = (picture == [0xFC, 0xFF, 0xA4]).all(axis=2).nonzero()
    # The centre of cell (8, 5) of 16, at 16 pixels a cell.
    assert rows.mean() == pytest.approx(135.5, abs=1)
    assert columns.mean() == pytest.approx(87.5, abs=1)


def test_the_overlay_is_clear_where_the_map_is_low(client, item):
    picture = pixels(client.get(map_picture_url(item, layer="overlay", colours="cividis")))
    assert picture.shape == (256, 256, 4)
    assert picture[0, 255, 3] == 0
    assert picture[136, 88, 3] > 200


def test_the_address_of_another_map_on_the_same_image_differs_in_nothing_but_random_digits(client, item):
    own = map_url(item, None)
    item.map_source, item.arm = Item.MapSource.UNIFORM, "control"
    item.save()
    uniform = map_url(item, None)
    assert own.split("?")[0] == uniform.split("?")[0]
    assert own != uniform
    assert set(client.get(uniform).content[4:]) == {255}
    for told in ("uniform", "control", item.generation.identity, item.generation.maps_sha256[:12], f"/{item.pk}."):
        assert told not in uniform


def test_codenames_name_one_number_each():
    names = [codename(pk) for pk in [*range(1, 2000), 2**32, 2**63 - 1]]
    assert len(set(names)) == len(names)
    assert [number(name) for name in names] == [*range(1, 2000), 2**32, 2**63 - 1]
    # Neighbours share digits no more often than chance would have it: one in sixteen at each of sixteen places.
    shared = sum(a == b for one, other in pairwise(names) for a, b in zip(one, other, strict=True))
    assert shared / len(names) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("name", ["0" * 16, "f" * 16, "1", "x" * 16, "../../etc"])
def test_a_name_that_was_never_given_is_not_found(client, item, name):
    assert client.get(f"/stimuli/maps/{name}.map").status_code == 404


def test_the_map_of_an_unfinished_image_is_not_found(client, item):
    Generation.objects.update(state="queued")
    assert client.get(map_url(item, None)).status_code == 404


def test_an_unknown_choice_names_the_known_ones_and_another_method_is_refused(client, item):
    address = map_url(item, None).split("?")[0]
    response = client.get(address.replace(".map", ".png"), {"colours": "rainbow"})
    assert response.status_code == 400
    assert "choose from inferno, cividis, grey" in response.content.decode()
    assert client.post(address).status_code == 405


def test_a_broken_map_is_logged_with_its_file_and_told_without(client, item, caplog):
    name = item.generation.maps.name
    files.write(name, b"not an archive")
    with caplog.at_level(logging.ERROR):
        response = client.get(map_url(item, None))
    assert response.status_code == 404
    assert name.removesuffix(".npz") in caplog.text
    assert name not in response.content.decode()
    assert "immutable" not in response.get("Cache-Control", "")


def test_the_statements_of_a_map_do_not_grow(client, item, django_assert_num_queries):
    with django_assert_num_queries(1):
        client.get(map_url(item, None))
