"""Who can fetch a stimulus: public ones by an address nobody can guess, private ones by links that end."""

from __future__ import annotations

import re
from html import unescape

import pytest
import time_machine
from django.contrib.auth.models import User

from annotation_site.raters.models import Enrolment
from annotation_site.stimuli import files
from annotation_site.stimuli.addresses import heat_map_url, image_url, public_name
from annotation_site.stimuli.models import Generation
from annotation_site.storage import StorageUnavailable
from annotation_site.studies.addresses import map_picture_url, map_url
from annotation_site.studies.models import Item, Study
from tests.annotation_site import object_store
from tests.annotation_site.processes import free_port

pytestmark = pytest.mark.django_db
SOURCES = re.compile(r'(?:src|data-[a-z-]+)="(/stimuli/[^"]+)"')


@pytest.fixture
def item(make_study) -> Item:
    make_study(items=1, stimuli_access="private", lease_minutes=10)
    return Item.objects.select_related("generation", "word", "study").get()


def addresses(item: Item, minutes: int | None) -> list[str]:
    return [
        image_url(item.generation, minutes),
        heat_map_url(item.generation, item.word, layer="map", minutes=minutes),
        map_url(item, minutes),
        map_picture_url(item, layer="map", colours="grey", minutes=minutes),
    ]


def test_a_private_stimulus_needs_a_link_that_lasts_one_to_two_leases(client, item):
    with time_machine.travel("2026-01-01T12:03:00Z", tick=False):
        links = addresses(item, item.study.link_minutes)
        answers = [client.get(address) for address in links]
    assert [answer.status_code for answer in answers] == [200] * 4
    # Of the stretch 12:00-12:10, and so until 12:20: 17 minutes are left. No proxy may keep them.
    assert {answer["Cache-Control"] for answer in answers} == {"private, max-age=1020, immutable"}
    with time_machine.travel("2026-01-01T12:19:59Z", tick=False):
        assert {client.get(address).status_code for address in links} == {200}
    with time_machine.travel("2026-01-01T12:20:00Z", tick=False):
        ended = [client.get(address) for address in links]
    assert {answer.status_code for answer in ended} == {403}
    assert "Load the page" in ended[0].text


def test_links_of_one_stretch_are_equal_so_that_browsers_keep_what_they_show(item):
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False):
        first = addresses(item, 10)
    with time_machine.travel("2026-01-01T12:09:59Z", tick=False):
        assert addresses(item, 10) == first
    with time_machine.travel("2026-01-01T12:10:00Z", tick=False):
        assert addresses(item, 10) != first


def test_no_part_of_a_link_can_be_changed_or_moved_to_another_stimulus(client, item, make_study):
    other = make_study(items=2, slug="other", stimuli_access="private").items.select_related("generation").last()
    link = image_url(item.generation, 10)
    path, query = link.split("?")
    later = re.sub(r"until=(\d+)", lambda found: f"until={int(found[1]) + 600}", link)
    foreign = f"{image_url(other.generation, 10).split('?')[0]}?{query}"
    broken = [path, later, foreign, link[:-1], link.replace("key=", "key=%00"), link + "0", f"{path}?until=&key="]
    broken += [re.sub(r"until=\d+", f"until={bad}", link) for bad in ("-1", "9" * 30, "١٢٣", "1e9", "nan")]
    assert client.get(link).status_code == 200
    for address in broken:
        assert client.get(address).status_code == 403, address
        # What a browser has already is no reason to let others ask for it.
        assert client.get(address, headers={"If-None-Match": f'"{item.generation.image_sha256}"'}).status_code == 403


def test_names_cannot_be_guessed_from_what_is_known_of_an_image(client, make_study, settings):
    generation = make_study(items=1).items.get().generation
    name = public_name(generation)
    assert client.get(image_url(generation, None)).status_code == 200
    guesses = [
        generation.identity,
        f"{generation.pk}",
        f"{generation.pk:x}-{'0' * 32}",
        f"{generation.pk + 1:x}{name[1:]}",
    ]
    for guess in [*guesses, name.upper(), f"0{name}", f"-{name}", f"{'f' * 15}-{name[2:]}", f"{'f' * 40}-0"]:
        assert client.get(f"/stimuli/{guess}/image.png").status_code == 404, guess
    assert generation.identity not in generation.image.name
    settings.NAMES_KEY = "another key of the names"
    assert client.get(f"/stimuli/{name}/image.png").status_code == 404
    # The row keeps the name that its files were given.
    assert client.get(image_url(generation, None)).status_code == 200


def test_rows_that_hold_old_names_go_on(client, make_study):
    generation = make_study(items=1).items.get().generation
    folder = f"generations/{generation.identity[:2]}/{generation.identity}"
    for ending, name in (("png", generation.image.name), ("npz", generation.maps.name)):
        files.write(f"{folder}/old.{ending}", files.read(name))
    files.write(f"{folder}/old.json", files.read(generation.maps.name.replace(".npz", ".json")))
    Generation.objects.update(image=f"{folder}/old.png", maps=f"{folder}/old.npz")
    item = Item.objects.select_related("generation", "word", "study").get()
    assert [client.get(address).status_code for address in addresses(item, None)] == [200] * 4


def test_an_image_that_a_public_study_shows_as_well_is_public(client, item, make_study):
    assert client.get(image_url(item.generation, None)).status_code == 403
    public = make_study(items=1, slug="public")
    Item.objects.filter(study=public).update(generation=item.generation)
    assert client.get(image_url(item.generation, None)).status_code == 200
    # The private study's own item is still private.
    assert client.get(map_url(item, None)).status_code == 403
    Study.objects.filter(pk=public.pk).update(stimuli_access="private")
    assert client.get(image_url(item.generation, None)).status_code == 403


def test_both_images_of_a_private_comparison_are_private_and_shown(client, make_changes):
    study = make_changes(items=1)
    Study.objects.filter(pk=study.pk).update(stimuli_access="private")
    item = study.items.get()
    for generation in (item.generation, item.second_generation):
        assert client.get(image_url(generation, None)).status_code == 403
    page = client.get(client.post("/studies/study/", {"consent": "yes"})["Location"])
    found = [unescape(address) for address in SOURCES.findall(page.text) if "/image.png" in address]
    assert len({address.split("?")[0] for address in found}) == 2
    assert {client.get(address).status_code for address in found} == {200}


def shown(client, address: str) -> list[str]:
    page = client.get(address)
    assert page.status_code == 200
    return [unescape(found) for found in SOURCES.findall(page.text) if "/colours/" not in found]


def test_raters_and_researchers_see_a_private_study_by_links_alone(client, item):
    link = client.post("/studies/study/", {"consent": "yes"})["Location"]
    client.force_login(User.objects.create_superuser("admin"))
    generation = item.generation.identity
    pages = [link, "/reports/study/items/0/", "/reports/study/tags/NOUN/", "/generations/"]
    pages += [f"/generations/{generation}/", f"/generations/compare/?of={generation}:0-1"]
    pages += [f"/admin/stimuli/generation/{item.generation.pk}/change/"]
    for address in pages:
        found = shown(client, address)
        assert found, address
        client.logout()
        for picture in found:
            assert client.get(picture).status_code == 200, (address, picture)
            assert client.get(picture.split("?")[0]).status_code == 403
        client.force_login(User.objects.get())


def test_programs_get_links_of_private_studies(client, item):
    body = {"study": "study", "consent": True, "consent_version": "1", "instructions_read": True}
    token = client.post("/api/v1/enrolments/", body, "application/json").json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    seat = client.post("/api/v1/seats/", {}, "application/json", headers=headers).json()["seat"]
    for name in ("image", "heat_map", "heat_map_values"):
        assert client.get(seat[name]).status_code == 200
        assert client.get(seat[name].split("?")[0]).status_code == 403


def test_while_the_store_is_away_pictures_are_503_and_answers_are_kept(client, item, settings, caplog):
    link = client.post("/studies/study/", {"consent": "yes"})["Location"]
    settings.STORAGES = object_store.storages(f"http://127.0.0.1:{free_port()}")
    for address in addresses(item, 10):
        answer = client.get(address)
        assert (answer.status_code, answer["Retry-After"]) == (503, "10")
        assert "No answer is lost" in answer.text
        assert "127.0.0.1" not in answer.text
    assert "see that S3_ENDPOINT names it" in caplog.text
    page = client.get(link)
    assert page.status_code == 200
    fields = dict(re.findall(r'name="(ticket|key)" value="([^"]+)"', page.text))
    sent = client.post(link, {**fields, "answer": "4"})
    assert sent.status_code in (200, 302)
    assert Enrolment.objects.get().judgements.get().rating == 4


def test_a_page_that_needs_files_says_that_the_store_is_away(client, item, settings):
    settings.STORAGES = object_store.storages(f"http://127.0.0.1:{free_port()}")
    answer = client.get("/analyses/study/syntax/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    with pytest.raises(StorageUnavailable):
        files.read("anything")
