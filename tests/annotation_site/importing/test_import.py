"""Importing images and maps made elsewhere: what comes in, what is refused and why, and what hostile files do."""

from __future__ import annotations

import io
import json
import os
import pickle
import re
import stat
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from annotation_site.rating import assignment
from annotation_site.stimuli import files
from annotation_site.stimuli.addresses import heat_map_url, image_url
from annotation_site.stimuli.models import Generation, Recipe
from annotation_site.studies.importing.bundles import Archive, BundleError, Folder
from annotation_site.studies.importing.manifest import Row, RowRefused, parsed
from annotation_site.studies.maps import item_map
from annotation_site.studies.models import Item, Study
from attribution.errors import MapFileError
from attribution.maps.foreign import picture_size, read_map, read_picture
from tests.annotation_site import object_store

PROMPT = "a dog beside a dog"


def picture(form: str = "PNG", size: tuple[int, int] = (48, 32), colour: str = "red", **how: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, form, **how)
    return buffer.getvalue()


def npy(values: np.ndarray, **how: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, **how)
    return buffer.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


RAMP = np.arange(12, dtype=np.float32).reshape(3, 4)


def grey(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def likert(**changes: Any) -> dict[str, Any]:
    row = {
        "prompt": PROMPT,
        "image": "dog.png",
        "word": "dog",
        "occurrence": 2,
        "tag": "NOUN",
        "maps": {"daam": "m.npy"},
    }
    return {name: value for name, value in (row | changes).items() if value is not None}


def write(folder: Path, rows: list[Any], **contents: bytes) -> Path:
    everything = {"dog.png": picture(), "m.npy": npy(RAMP)} | {
        name.replace("__", "."): content for name, content in contents.items()
    }
    for name, content in everything.items():
        (folder / name).write_bytes(content)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "manifest.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder / "manifest.jsonl"


def run(manifest: Path, *options: str, study: str = "imported") -> str:
    out = io.StringIO()
    call_command("import_stimuli", str(manifest), "--study", study, *options, stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.django_db
def test_images_and_maps_of_two_methods_become_a_draft(tmp_path, client):
    rows = [
        likert(maps={"daam": "m.npy", "gradcam": "all.npz#heat"}, model="Elsewhere XL", seed=42, note="guidance 5"),
        likert(word="beside", occurrence=None, tag="ADP", maps={"daam": "grey.png", "gradcam": "all.npz#other"}),
        likert(start=0, end=1, word=None, occurrence=None, tag=None, image="other.webp", maps={"daam": "one.npz"}),
    ]
    content = {
        "all__npz": npz(heat=RAMP.T, other=RAMP),
        "grey__png": grey(RAMP.astype(np.uint8)),
        "one__npz": npz(x=RAMP),
    }
    manifest = write(tmp_path, rows, other__webp=picture("WEBP", colour="blue"), **content)
    assert "5 items of 2 images from 3 lines; 0 refused" in run(manifest)
    study = Study.objects.get()
    assert (study.state, study.kind, study.sampling["imported"][0]["rows"]) == ("draft", "likert", 3)
    item = study.items.get(word__text="dog", arm="gradcam")
    assert (item.word.start, item.word.end, item.word.tag) == (15, 18, "NOUN")
    # A ramp of 0 to 11 divided by its largest value, transposed.
    np.testing.assert_allclose(item_map(item), RAMP.T / 11, rtol=1e-6)
    np.testing.assert_allclose(item_map(study.items.get(word__text="beside", arm="daam")), RAMP / 11, rtol=1e-6)
    assert study.items.get(word__text="a").word.tag == "X"
    generation = item.generation
    assert generation.origin == "imported from manifest.jsonl, line 1, model Elsewhere XL, seed 42, note guidance 5"
    assert str(generation.recipe) == "Elsewhere XL, imported"
    answer = client.get(image_url(generation))
    assert answer["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (48, 32)
    # Imported maps belong to items; of the image alone there is none, which is no fault of the server.
    assert client.get(heat_map_url(generation, item.word, layer="map")).status_code == 404
    assert sorted(study.items.values_list("position", flat=True)) == list(range(5))


@pytest.mark.django_db
def test_a_presence_study_and_more_items_of_the_same_draft(tmp_path):
    row = {
        "prompt": "a cat and a dog",
        "image": "dog.png",
        "word": "cat",
        "second_word": "dog",
        "condition": "cohyponyms",
    }
    User.objects.create_user("ann")
    run(write(tmp_path, [row]), "--kind", "presence", "--owner", "ann")
    study = Study.objects.get()
    assert study.members.get().user.username == "ann"
    run(write(tmp_path, [{**row, "seed": "second"}]), "--kind", "presence")
    assert [(i.word.text, i.second_word.text, i.condition, i.position) for i in study.items.all()] == [
        ("cat", "dog", "cohyponyms", 0), ("cat", "dog", "cohyponyms", 1),
    ]  # fmt: skip
    with pytest.raises(CommandError, match="already"):
        run(write(tmp_path, [row]), "--kind", "presence")
    assert study.items.count() == 2


@pytest.mark.django_db
def test_one_refused_line_stops_all_unless_the_rest_is_asked_for(tmp_path):
    manifest = write(tmp_path, [likert(), "", likert(image="none.png"), "{"])
    with pytest.raises(CommandError, match="2 lines are refused, and nothing was imported"):
        run(manifest)
    assert (Study.objects.count(), Generation.objects.count(), list(files.every())) == (0, 0, [])
    said = run(manifest, "--skip-refused")
    assert "line 3: there is no file 'none.png' beside the manifest" in said
    assert "line 4: it is not JSON" in said
    assert Study.objects.get().items.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"wrod": "dog"}, "'wrod' is not known"),
        ({"prompt": ""}, "'prompt' is missing"),
        ({"prompt": "x" * 2001}, "2001 characters"),
        ({"prompt": "a \0 dog"}, "no text has"),
        ({"prompt": "a \ud800 dog dog"}, "no text has"),
        ({"occurrence": None}, "stands 2 times"),
        ({"occurrence": 3}, "no occurrence '3'"),
        ({"occurrence": True}, "no occurrence 'True'"),
        ({"word": "Dog", "occurrence": 1}, "mind capitals"),
        ({"start": 2, "end": 99}, "mark no word"),
        ({"start": 2}, "mark no word"),
        ({"start": 2, "end": 5, "word": "cat"}, "word is 'cat'"),
        ({"start": 1, "end": 2, "word": " "}, "mark no word"),
        ({"tag": "noun"}, "choose from ADJ"),
        ({"tag": ["NOUN"]}, "choose from ADJ"),
        ({"maps": {}}, "write {method: path}"),
        ({"maps": {" ": "m.npy"}}, "is no name"),
        ({"maps": {"daam": 3}}, "write a text"),
        ({"maps": {"daam": "m.npy#x"}}, "is no .npz"),
        ({"maps": {"daam": "dog.png"}}, "has colours"),
        ({"maps": {"daam": "manifest.jsonl"}}, "is no map"),
        ({"image": "m.npy"}, "neither a PNG nor a WebP"),
        ({"image": "../dog.png"}, "leads out"),
        ({"image": "/etc/passwd"}, "leads out"),
        ({"image": "C:\\dog.png"}, "leads out"),
        ({"image": "."}, "leads out"),
        ({"image": "link.png"}, "is a link out"),
        ({"seed": 1.5}, "write a text"),
        ({"condition": "x", "second_word": "dog"}, ""),
    ],
)
def test_a_refused_line_names_the_value_the_reason_and_the_remedy(tmp_path, changes, reason):
    (tmp_path / "outside.png").write_bytes(picture())
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "outside.png")
    manifest = write(tmp_path / "in", [likert(**changes)])
    if reason:
        out = io.StringIO()
        with pytest.raises(CommandError, match="nothing was imported"):
            call_command("import_stimuli", str(manifest), "--study", "s", stdout=out, stderr=out)
        assert "line 1: " in out.getvalue()
        assert reason in out.getvalue()
        assert not Study.objects.exists()
    else:
        run(manifest)


@pytest.mark.django_db
def test_a_manifest_that_is_not_there_or_not_to_be_read_is_named(tmp_path):
    with pytest.raises(CommandError, match=f"There is no file {tmp_path}/nowhere.jsonl .looked for from /"):
        run(tmp_path / "nowhere.jsonl")
    with pytest.raises(CommandError, match=f"^{tmp_path} cannot be read: Is a directory.$"):
        run(tmp_path)


@pytest.mark.django_db
def test_a_line_that_repeats_another_names_it(tmp_path):
    with pytest.raises(CommandError):
        run(write(tmp_path, [likert(), likert()]))
    assert "line 1 has the same word" in run(write(tmp_path, [likert(), likert()]), "--skip-refused")


@pytest.mark.django_db
def test_open_studies_other_kinds_and_bad_slugs_are_refused(tmp_path, make_study):
    make_study(items=1, slug="open")
    manifest = write(tmp_path, [likert()])
    for slug, kind, reason in (("open", "likert", "is open"), ("a b", "likert", "slug"), ("x" * 60, "likert", "slug")):
        with pytest.raises(CommandError, match=reason):
            run(manifest, "--kind", kind, study=slug)
    with pytest.raises(CommandError, match="no user"):
        run(manifest, "--owner", "nobody")


UNPICKLED = "ATTEST_TEST_UNPICKLED"


class Harmful:
    def __reduce__(self) -> Any:
        return (exec, (f"import os; os.environ[{UNPICKLED!r}] = 'yes'",))


def header(shape: str, descr: str = "'<f4'", order: str = "False") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def test_the_harmful_object_does_harm_where_it_is_unpickled(monkeypatch):
    monkeypatch.setenv(UNPICKLED, "")
    pickle.loads(pickle.dumps(Harmful()))  # noqa: S301
    assert os.environ[UNPICKLED] == "yes"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (npy(np.array([[Harmful()]], dtype=object), allow_pickle=True), "never objects|header"),
        (pickle.dumps(Harmful()), "is no map"),
        (header("(100000, 100000)"), "at most 4096"),
        (header("(999999999999, 1)"), "header"),
        (header("(4096, 4096)") + b"1234", "4 bytes, not the 67108864"),
        (header("(1, 1)") + b"12345", "5 bytes or more"),
        (header("(1, 1)", "'<c16'"), "whole numbers or floats"),
        (header("(1, 1)", "[('a', '<f4')]"), "header"),
        (header("(-1, 1)"), "header"),
        (header("__import__('os').abort()"), "header"),
        (npy(RAMP[0]), "height, width"),
        (npy(RAMP * np.nan), "not finite"),
        (npy(RAMP + np.inf), "not finite"),
        (npy(RAMP.astype(np.float64) * 1e200), "not finite"),
        (npy(-RAMP), "negative"),
        (npz(a=RAMP, b=RAMP), "of a, b"),
        (b"PK\x03\x04" + b"\0" * 50, "not an .npz"),
        (picture("PNG"), "has colours"),
        (b"\x93NUMPY", "header"),
        (b"", "is no map"),
    ],
)
def test_hostile_maps_are_refused(content, reason):
    with pytest.raises(MapFileError, match=reason):
        read_map(content, "map")
    assert UNPICKLED not in os.environ


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float16, np.float64, np.dtype(">f4"), np.dtype(">u2")])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_plain_kind_of_array_is_read(kind, order):
    values = np.array(RAMP, dtype=kind, order=order)
    np.testing.assert_array_equal(read_map(npy(values), "map"), RAMP)
    np.testing.assert_array_equal(read_map(npz(a=values, b=values * 0), "map", "a"), RAMP)


def test_an_array_that_unpacks_to_more_than_it_announces_is_not_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", header("(2, 2)") + bytes(20 << 20))
    assert len(buffer.getvalue()) < 1 << 20
    with pytest.raises(MapFileError, match="17 bytes or more"):
        read_map(buffer.getvalue(), "bomb")


def chunk(kind: bytes, body: bytes) -> bytes:
    import zlib

    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int) -> bytes:
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IEND", b"")
    )


def webp_of(width: int, height: int) -> bytes:
    body = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + body


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (png_of(100_000, 100_000), "100000 x 100000"),
        (png_of(64, 64), "damaged"),
        (webp_of(16_000, 16_000), "16000 x 16000"),
        (webp_of(64, 64), "damaged"),
        (picture()[:60], "damaged"),
        (picture("WEBP")[:40], "damaged"),
        (picture("JPEG"), "neither"),
        (picture("GIF"), "neither"),
        (picture(size=(7, 100)), "7 x 100"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "neither"),
        (b"", "neither"),
    ],
)
def test_hostile_images_are_refused_before_they_are_decoded(content, reason):
    with pytest.raises(MapFileError, match=reason):
        read_picture(content, "image")


def test_an_animation_is_refused_and_what_an_image_carries_beside_pixels_is_left_out():
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    with pytest.raises(MapFileError, match="animated"):
        read_picture(buffer.getvalue(), "moving.webp")
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    marked = picture("PNG", exif=exif) + b"<script>trailing</script>"
    out = io.BytesIO()
    read_picture(marked, "marked.png").save(out, "PNG")
    assert b"secret" not in out.getvalue()
    assert b"script" not in out.getvalue()
    clear = io.BytesIO()
    Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(clear, "PNG")
    assert read_picture(clear.getvalue(), "clear.png").getpixel((3, 3)) == (255, 255, 255)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
@pytest.mark.parametrize("how", [{}, {"lossless": True}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}])
def test_the_header_tells_the_size_of_every_kind(form, how):
    assert picture_size(picture(form, (48, 31), **how), "image") == (48, 31)


def zipped(entries: list[tuple[zipfile.ZipInfo | str, bytes]], packing: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", packing) as archive:
        warnings.simplefilter("ignore")
        for name, content in entries:
            archive.writestr(name, content)
    buffer.seek(0)
    return buffer


def linked(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([("../x.png", b"")], "leads out"),
        ([("/x.png", b"")], "leads out"),
        ([("a/../../x", b"")], "leads out"),
        ([("a\\..\\x", b"")], "leads out"),
        ([(linked("x.png"), b"/etc/passwd")], "is a link"),
        ([("x.png", b"1"), ("x.png", b"2")], "twice"),
        ([("x.png", bytes(50 << 20))], "times its size"),
        ([], "0 files"),
        ([("a.jsonl", b""), ("b.jsonl", b"")], "3 files"),
    ],
)
def test_a_hostile_zip_is_refused_before_anything_is_unpacked(entries, reason):
    manifest = [("manifest.jsonl", b"{}")] if entries else []
    with pytest.raises(BundleError, match=reason):
        Archive(zipped([*manifest, *entries]))


@pytest.mark.django_db
def test_a_zip_with_its_files_in_a_folder_is_imported(tmp_path):
    rows = json.dumps(likert(image="pictures/dog.png")).encode()
    entries = [("mine/manifest.jsonl", rows), ("mine/pictures/dog.png", picture()), ("mine/m.npy", npy(RAMP))]
    (tmp_path / "all.zip").write_bytes(zipped([*entries, ("mine/nested.zip", bytes(100))]).getvalue())
    assert "1 items of 1 images" in run(tmp_path / "all.zip")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["prompt", "image", "word", "occurrence", "start", "end", "tag", "maps", "seed", "model", "second_word"]
)
few = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@few
@given(fields=st.dictionaries(names, json_values), whole=st.booleans(), kind=st.sampled_from(["likert", "presence"]))
def test_any_line_is_a_row_or_a_refusal(fields, whole, kind):
    row = (likert() | {"second_word": "beside"} if whole else {}) | fields
    try:
        made = parsed(1, json.dumps(row).encode(), kind)
    except RowRefused as refused:
        assert str(refused)  # noqa: PT017 - either outcome is right
    else:
        assert isinstance(made, Row)
        assert made.prompt[made.target.start : made.target.end].strip()


@few
@given(content=st.binary(max_size=60))
def test_any_bytes_are_a_row_or_a_refusal(content):
    with pytest.raises(RowRefused):
        parsed(1, content, "likert")


GOOD = [npy(RAMP), npz(a=RAMP), grey(RAMP.astype(np.uint8)), picture(), picture("WEBP"), picture("WEBP", lossless=True)]


@few
@given(
    good=st.sampled_from(GOOD),
    cut=st.integers(0, 400),
    flips=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
)
def test_any_damage_is_refused_or_harmless(good, cut, flips):
    damaged = bytearray(good[: max(1, len(good) - cut)])
    for place, value in flips:
        damaged[place % len(damaged)] = value
    for read in (read_map, read_picture):
        try:
            made = read(bytes(damaged), "file")
        except MapFileError as refused:
            assert str(refused)  # noqa: PT017 - either outcome is right
        else:
            size = made.shape if isinstance(made, np.ndarray) else made.size
            assert max(size) <= 4096


@few
@given(cut=st.integers(0, 300), flips=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=6))
def test_any_damaged_zip_is_refused_or_read(cut, flips):
    whole = zipped([("manifest.jsonl", b"{}"), ("a/m.npy", npy(RAMP)), ("dog.png", picture())]).getvalue()
    damaged = bytearray(whole[: len(whole) - cut])
    for place, value in flips:
        damaged[place % len(damaged)] = value
    try:
        archive = Archive(io.BytesIO(bytes(damaged)))
        archive.text()
        archive.read("a/m.npy", 10_000)
    except BundleError as refused:
        assert str(refused)  # noqa: PT017 - either outcome is right


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path):
    (tmp_path / "large.png").write_bytes(bytes(2000))
    with pytest.raises(BundleError, match="is larger than"):
        Folder(tmp_path).read("large.png", 1000)


@pytest.mark.django_db(transaction=True)
def test_the_whole_walk_on_an_object_store(tmp_path, settings, client):
    """Imported and generated alike: rating page, map, export, backup, and back into another bucket."""
    with object_store.running() as endpoint:
        settings.STORAGES = object_store.storages(endpoint)
        call_command("make_bucket", stdout=io.StringIO())
        run(write(tmp_path, [likert()]))
        study = Study.objects.get()
        Study.objects.update(cap_share=1, instructions_shown=False)
        study.refresh_from_db()
        assignment.open_study(study)
        page = client.get(client.post("/studies/imported/", {"consent": "yes"})["Location"])
        item = Item.objects.select_related("generation").get()
        assert image_url(item.generation, None) in page.text
        assert client.get(image_url(item.generation, None)).status_code == 200
        call_command("export_study", "imported", "--out", str(tmp_path / "export"), stdout=io.StringIO())
        facts = json.loads((tmp_path / "export" / "study.json").read_text())
        assert facts["recipes"][0]["imported"] is True
        assert "not drawn by Attest" in (tmp_path / "export" / "DATASHEET.md").read_text()
        stored = {name: files.read(name) for name in files.every()}
        call_command("backup", str(tmp_path / "backup"), stdout=io.StringIO())
        settings.STORAGES = object_store.storages(endpoint)
        call_command("make_bucket", stdout=io.StringIO())
        assert not list(files.every())
        call_command("restore", str(tmp_path / "backup"), "--replace", stdout=io.StringIO())
        assert {name: files.read(name) for name in files.every()} == stored
        assert client.get(image_url(Generation.objects.get(), None)).status_code == 200
        assert Recipe.objects.get().imported


def test_the_example_of_the_documentation_works(tmp_path, monkeypatch, db):
    page = (Path(__file__).resolve().parents[3] / "docs" / "importing.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/importing.md", "exec"), {})  # noqa: S102 - our own page
    (command,) = re.findall(r"manage\.py import_stimuli (.*)", page)
    said = io.StringIO()
    call_command("import_stimuli", *command.split(), stdout=said)
    (expected,) = re.findall(r"^Draft study .*$", page, re.MULTILINE)
    assert expected in said.getvalue()
