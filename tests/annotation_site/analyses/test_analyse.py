"""``manage.py analyse`` over a study, and the pages that show its last result."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from PIL import Image

from annotation_site.analyses.source import StudyReader
from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation
from attribution.maps import Alignment, HeatMaps, Token

INLINE = re.compile(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)")


def page(client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    html = response.content.decode()
    assert not INLINE.search(html)
    return html


def run(kind: str, tmp_path, *more: str) -> str:
    said = io.StringIO()
    call_command("analyse", kind, "study", "--out", str(tmp_path / kind), *more, stdout=said)
    return said.getvalue()


def draw(generation: Generation, areas: list[int]) -> None:
    """Maps whose i-th word marks so many of 16 cells, from the first cell on."""
    text = generation.prompt.text
    places = [(match.start(), match.end()) for match in re.finditer(r"\S+", text)]
    maps = np.zeros((len(places), 16), np.float32)
    for row, area in zip(maps, areas, strict=True):
        row[:area] = 1
    tokens = tuple(Token(text[start:end], start, end) for start, end in places)
    kept = tuple(range(len(places)))
    stored = HeatMaps(maps.reshape(-1, 4, 4), Alignment(text, tokens), kept, steps=2, layers=3)
    npz, description = stored.to_bytes()
    name = str(generation.maps.name)
    files.write(name, npz)
    files.write(name.removesuffix(".npz") + ".json", description)
    Generation.objects.filter(pk=generation.pk).update(maps_sha256=files.sha256(npz))


@pytest.fixture
def drawn(make_study):
    """Four images of "a red dog N runs" in which the words mark 1, 2, 4, 0 and 8 of 16 cells."""
    study = make_study(items=4)
    for generation in Generation.objects.select_related("prompt"):
        draw(generation, [1, 2, 4, 0, 8])
    return study


def rows(client, kind: str, name: str = "rows.csv") -> list[dict[str, str]]:
    response = client.get(f"/analyses/study/{kind}/files/{name}")
    assert response.headers["Content-Disposition"] == f'attachment; filename="study-{kind}-{name}"'
    return list(csv.DictReader(io.StringIO(response.content.decode())))


def test_intensity_is_the_share_that_was_drawn(client, drawn, tmp_path):
    said = run("intensity", tmp_path)
    assert "4 images measured, 0 already there, 0 skipped." in said
    assert {row["tag"]: float(row["area"]) for row in rows(client, "intensity")} == {
        "DET": 1 / 16,
        "ADJ": 2 / 16,
        "NOUN": 4 / 16,
        "NUM": 0,
        "VERB": 8 / 16,
        "all words": (1 + 2 + 4 + 0 + 8) / 16 / 5,
    }
    html = page(client, "/analyses/study/intensity/")
    assert "over 4 images" in html
    assert "50.0" in html
    assert client.get("/analyses/study/intensity/files/figure.svg").content.lstrip().startswith(b"<?xml")
    assert "0 images measured, 4 already there" in run("intensity", tmp_path)


def test_syntax_comes_from_the_rows_of_the_database(client, drawn, tmp_path):
    run("syntax", tmp_path)
    found = {row["relation"]: row for row in rows(client, "syntax")}
    # The head dog marks 4 cells and its dependent red 2 of them: 2/4, 2/2, 2/4.
    # Its own head runs marks 8: 4/8, 4/4, 4/8.
    for relation in ("amod", "nsubj"):
        assert [float(found[relation][name]) for name in ("pairs", "iou", "iod", "ioh")] == [4, 0.5, 1, 0.5]
    html = page(client, "/analyses/study/syntax/")
    example = re.search(r'src="(/analyses/study/syntax/files/example-1.png)"', html)[1]
    assert client.get(example).content.startswith(b"\x89PNG")


def test_objects_against_masks_from_files(client, drawn, tmp_path):
    from PIL import Image

    # The dog's map fills the upper quarter; so does each mask.
    for identity in Generation.objects.values_list("identity", flat=True):
        (tmp_path / "masks" / identity).mkdir(parents=True)
        mask = np.zeros((64, 64), np.uint8)
        mask[:16] = 255
        Image.fromarray(mask).save(tmp_path / "masks" / identity / "dog.png")
    with pytest.raises(CommandError, match="--truth"):
        run("objects", tmp_path)
    run("objects", tmp_path, "--truth", f"files:{tmp_path / 'masks'}")
    whole = next(row for row in rows(client, "objects") if row["method"] == "whole image")
    assert float(whole["all"]) == 0.25


def test_a_damaged_map_is_named_and_the_rest_analysed(client, drawn, tmp_path):
    broken, missing = Generation.objects.order_by("pk")[:2]
    files.write(str(broken.maps.name), b"not a map")
    default_storage.delete(str(missing.maps.name))
    assert "2 images measured, 0 already there, 2 skipped." in run("intensity", tmp_path)
    html = page(client, "/analyses/study/intensity/")
    assert "Skipped: 2 images" in html
    assert broken.maps.name in html
    assert missing.maps.name in html


def test_before_the_first_run_a_page_says_which_command_makes_it(client, make_study):
    make_study(items=1, done=False)
    assert "python manage.py precompute study" in page(client, "/analyses/study/syntax/")
    assert "python manage.py analyse objects study --truth SEGMENTER" in page(client, "/analyses/study/")


def test_new_images_and_changed_files_are_said(client, drawn, tmp_path):
    run("intensity", tmp_path)
    Generation.objects.filter(pk=Generation.objects.first().pk).update(state="queued")
    assert "now has 3 finished images" in page(client, "/analyses/study/intensity/")
    files.write("analyses/study/intensity/rows.csv", b"tag,area\nNOUN,1\n")
    assert client.get("/analyses/study/intensity/files/rows.csv").status_code == 404
    files.write("analyses/study/intensity/result.json", b'{"format": 0}')
    assert "has not been run" in page(client, "/analyses/study/intensity/")


@pytest.mark.parametrize("place", ["unknown/", "syntax/files/rows.csv", "syntax/files/..%2f..%2fsecret"])
def test_what_is_not_there_is_not_found(client, make_study, place):
    make_study(items=1)
    assert client.get(f"/analyses/study/{place}").status_code == 404
    assert client.get("/analyses/other/syntax/").status_code == 404


@pytest.mark.parametrize("place", ["", "syntax/", "syntax/files/rows.csv"])
def test_in_production_they_are_for_staff(client, make_study, settings, place):
    settings.ATTEST_ENV = "production"
    make_study(items=1)
    assert client.get(f"/analyses/study/{place}").status_code == 302


def test_a_study_that_is_not_there_is_named(db):
    with pytest.raises(CommandError, match="no study 'nowhere'"):
        call_command("analyse", "syntax", "nowhere")


def test_the_result_is_json_without_nan(drawn, tmp_path):
    run("intensity", tmp_path)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    stored = json.loads(files.read("analyses/study/intensity/result.json"), parse_constant=refuse)
    assert stored["files"]["rows.csv"] == files.sha256((tmp_path / "intensity" / "rows.csv").read_bytes())


def test_an_image_is_read_from_the_storage(drawn):
    reader = StudyReader(drawn)
    assert [reader.read(name).image().size for name in reader.names()] == [(64, 64)] * 4


def test_both_images_of_a_compared_pair_are_read(make_changes):
    reader = StudyReader(make_changes(items=2))
    # Two seeds of "rusty" and of "wooden".
    texts = [reader.read(name).prompt.text for name in reader.names()]
    assert len(texts) == 4
    assert sorted("wooden" in text for text in texts) == [False, False, True, True]


def test_what_a_swapped_adjective_changes_lies_half_outside_of_its_noun(client, tmp_path, finish, db):
    sets = tmp_path / "sets.txt"
    sets.write_text("a {red, blue} star\n")
    call_command("change_study", sets=sets, study="study", model="tinyworld", images=2, stdout=io.StringIO())
    for generation in Generation.objects.select_related("prompt"):
        finish(generation)
        draw(Generation.objects.get(pk=generation.pk), [1, 2, 4])
    # The noun marks the upper quarter. Beside the first image, the second changes as much within it as below.
    for second in Generation.objects.filter(prompt__text="a blue star"):
        pixels = np.full((64, 64, 3), (200, 60, 60), np.uint8)
        pixels[0:8, 0:8] = pixels[48:56, 0:8] = (60, 60, 200)
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, "PNG")
        files.write(str(second.image.name), content.getvalue())
    assert "4 images measured" in run("adjectives", tmp_path)
    lines = (tmp_path / "adjectives" / "records.jsonl").read_text().splitlines()
    measured = [record for record in map(json.loads, lines) if "outside" in json.dumps(record)]
    assert len(measured) == 2
    assert json.dumps(measured).count('"outside": 0.5') == 2
    html = page(client, "/analyses/study/adjectives/")
    assert "Adjectival entanglement" in html
    assert html.count("a red star; a blue star") == 2


def test_a_study_without_swap_sets_skips_every_image_by_name(drawn, tmp_path):
    said = run("adjectives", tmp_path)
    assert "4 skipped" in said
    assert "is in no swap set of this study" in said
