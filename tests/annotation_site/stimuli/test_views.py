"""/stimuli/... : the image as stored, and heat maps drawn from the stored maps."""

from __future__ import annotations

import io
import logging

import numpy as np
import pytest
from PIL import Image

from annotation_site.stimuli import files
from annotation_site.stimuli.addresses import colour_bar_url, colour_table_url, heat_map_url, image_url, public_name
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Item
from attribution.maps.colours import COLOUR_MAPS, colour_table

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(make_study) -> Item:
    # 'a red dog 2 runs' with 'red' (2-5) as the target: index 1, so its blob lies at x = 5, y = 8 of 16.
    make_study(items=3)
    return Item.objects.select_related("generation", "word").get(word__text="red")


def pixels(response) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(response.content)))


def test_the_image_is_served_as_stored_and_kept_for_good(client, item):
    response = client.get(image_url(item.generation, None))
    assert response.content == files.read(item.generation.image.name)
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in response["Cache-Control"]


def test_without_the_files_version_browsers_ask_again(client, item):
    response = client.get(f"/stimuli/{public_name(item.generation)}/image.png")
    assert "no-cache" in response["Cache-Control"]
    assert "immutable" not in response["Cache-Control"]
    again = client.get(
        f"/stimuli/{public_name(item.generation)}/image.png", headers={"If-None-Match": response["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_the_map_is_brightest_where_the_words_heat_is(client, item):
    picture = pixels(client.get(heat_map_url(item.generation, item.word, layer="map")))
    assert picture.shape == (256, 256, 3)
    rows, columns = (picture == [0xFC, 0xFF, 0xA4]).all(axis=2).nonzero()
    # The centre of cell (8, 5) of 16, at 16 pixels a cell.
    assert rows.mean() == pytest.approx(135.5, abs=1)
    assert columns.mean() == pytest.approx(87.5, abs=1)


def test_the_overlay_is_clear_where_the_map_is_low(client, item):
    picture = pixels(client.get(heat_map_url(item.generation, item.word, layer="overlay")))
    assert picture.shape == (256, 256, 4)
    assert picture[0, 255, 3] == 0
    assert picture[136, 88, 3] > 200


def test_another_word_has_another_map(client, item):
    def brightest(word):
        picture = pixels(client.get(heat_map_url(item.generation, word, layer="map")))
        return picture.sum(axis=2).max(axis=0).argmax()

    words = list(item.word.prompt.words.all())
    assert brightest(words[0]) < brightest(words[1]) < brightest(words[4])


@pytest.mark.parametrize(("colours", "brightest"), [("cividis", [254, 232, 56]), ("grey", [255, 255, 255])])
def test_colour_maps(client, item, colours, brightest):
    picture = pixels(client.get(heat_map_url(item.generation, item.word, layer="map", colours=colours)))
    assert picture[picture.sum(axis=2) == picture.sum(axis=2).max()][0].tolist() == brightest


@pytest.mark.parametrize("query", ["colours=rainbow", "layer=both"])
def test_an_unknown_choice_names_the_known_ones(client, item, query):
    response = client.get(f"/stimuli/{public_name(item.generation)}/words/2-5/heat-map.png?{query}")
    assert response.status_code == 400
    assert "choose from" in response.content.decode()


@pytest.mark.parametrize("path", ["words/3-5/heat-map.png", "words/900-905/heat-map.png", "words/5-2/heat-map.png"])
def test_offsets_outside_of_the_prompt_are_not_found(client, item, path):
    # 3-5 lies within 'red' and so has its map; nothing is found where no word is.
    expected = 200 if "3-5" in path else 404
    assert client.get(f"/stimuli/{public_name(item.generation)}/{path}").status_code == expected


@pytest.mark.parametrize("path", ["image.png", "words/2-5/heat-map.png"])
def test_unknown_and_unfinished_generations_are_not_found(client, item, path):
    assert client.get(f"/stimuli/{'0' * 64}/{path}").status_code == 404
    Generation.objects.update(state="queued")
    assert client.get(f"/stimuli/{public_name(item.generation)}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["image.png", "words/2-5/heat-map.png"])
def test_wrong_method(client, item, path):
    assert client.post(f"/stimuli/{public_name(item.generation)}/{path}").status_code == 405


def test_a_corrupt_map_file_is_named_and_the_rating_page_works(client, item, caplog):
    files.write(item.generation.maps.name, b"not an archive")
    with caplog.at_level(logging.ERROR):
        response = client.get(heat_map_url(item.generation, item.word, layer="map"))
    assert response.status_code == 404
    assert item.generation.maps.name in response.content.decode()
    assert item.generation.maps.name in caplog.text
    assert "immutable" not in response.get("Cache-Control", "")
    link = client.post("/studies/study/", {"consent": "yes"})["Location"]
    assert client.get(link).status_code == 200


def test_a_missing_image_file_is_named(client, item, caplog):
    name = item.generation.image.name
    item.generation.image.storage.delete(name)
    response = client.get(image_url(item.generation))
    assert response.status_code == 404
    assert name in response.content.decode()


def test_an_image_file_that_was_exchanged_is_not_served(client, item):
    files.write(item.generation.image.name, files.read(item.generation.image.name)[:-20])
    response = client.get(image_url(item.generation))
    assert response.status_code == 404
    assert "check_files" in response.content.decode()


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_a_colour_map_travels_as_bytes_and_is_shown_as_a_bar(client, name):
    table = client.get(colour_table_url(name))
    assert table.content == colour_table(name).tobytes()
    assert "immutable" in table["Cache-Control"]
    bar = client.get(colour_bar_url(name))
    assert pixels(bar).tolist() == [colour_table(name).tolist()]
    assert client.get(colour_bar_url(name), headers={"If-None-Match": bar["ETag"]}).status_code == 304


def test_an_unknown_colour_map_is_not_found(client):
    assert client.get("/stimuli/colours/rainbow.png").status_code == 404
