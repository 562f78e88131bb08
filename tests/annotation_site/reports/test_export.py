"""Exports: whole or not at all, the same bytes, pseudonymous, valid, and enough to make the report from."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotation_site.rating import assignment
from annotation_site.reports import downloads
from annotation_site.reports.exports import folders, writing
from annotation_site.reports.exports.columns import ITEMS, JUDGEMENTS, RATERS
from annotation_site.reports.exports.reading import load_export
from annotation_site.reports.exports.tables import as_cell
from annotation_site.reports.formats import as_json
from annotation_site.reports.loading import load
from annotation_site.reports.report import build_report, report_of
from annotation_site.stimuli import files
from annotation_site.studies.models import Item


@pytest.fixture
def mixed(rated, enrol, judge):
    """The rated study with a judgement of every fate."""
    noun = rated.items.filter(word__tag="NOUN").order_by("position")
    verb = rated.items.filter(word__tag="VERB").order_by("position")
    first = noun[0].seats.order_by("round").first()
    first.judgements.update(current=False)
    judge(noun[0], first.enrolment, 1, seat=first, revision=2, browser_milliseconds=2345, locale="ko")
    judge(noun[0], enrol(rated), 1, seat=first, surplus=True)
    judge(verb[2], enrol(rated, simulated=True), 1)
    excluded = enrol(rated)
    judge(verb[2], excluded, 1, views=[[12, "view", "beside"]])
    excluded.exclude("failed the checks", timezone.now())
    assignment.withdraw_item(noun[2])
    return rated


def export(study, folder: Path, *options: str) -> Path:
    call_command("export_study", study.slug, "--out", str(folder), *options, stdout=io.StringIO())
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_judgement_is_there_with_its_fate(mixed, tmp_path):
    folder = export(mixed, tmp_path / "out")
    rows = pq.read_table(folder / "data/judgements.parquet").to_pylist()
    fates = [row["fate"] for row in rows]
    numbers = {fate: fates.count(fate) for fate in set(fates)}
    assert numbers == {"superseded": 1, "surplus": 1, "simulated": 1, "excluded": 1, "withdrawn": 3, "counted": 31}
    assert all(row["counted"] == (row["fate"] == "counted") for row in rows)
    (corrected,) = [row for row in rows if row["revision"] == 2]
    assert (corrected["rating"], corrected["browser_milliseconds"], corrected["locale"]) == (1, 2345, "ko")
    (excluded,) = [row for row in rows if row["fate"] == "excluded"]
    assert json.loads(excluded["views"]) == [[12, "view", "beside"]]
    assert (excluded["word"], excluded["tag"], excluded["prompt"].split()[0]) == ("runs", "VERB", "a")


def test_csv_and_parquet_hold_the_same_rows(mixed, tmp_path):
    folder = export(mixed, tmp_path / "out")
    for name, fields in (("judgements", JUDGEMENTS), ("items", ITEMS), ("raters", RATERS)):
        table = pq.read_table(folder / f"data/{name}.parquet")
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            lines = list(csv.reader(file))
        assert lines[0] == table.column_names == [field.name for field in fields]
        assert lines[1:] == [[str(as_cell(cell)) for cell in row.values()] for row in table.to_pylist()]


def test_items_carry_their_answers_and_what_follows(mixed, tmp_path):
    folder = export(mixed, tmp_path / "out")
    items = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    assert [item["item"] for item in items] == list(range(12))
    by_answers = {tuple(sorted(a["rating"] or 0 for a in item["judgements"] if a["counted"])): item for item in items}
    # The corrected pair (4 became 1), a pair with an image too poor, a dropped pair, a withdrawn one.
    assert (by_answers[1, 5, 5]["status"], by_answers[1, 5, 5]["score"]) == ("scored", 5)
    assert (by_answers[0, 3, 4]["score"], by_answers[0, 3, 4]["too_poor"]) == (3.5, 1)
    assert (by_answers[0, 4, 5]["status"], by_answers[0, 4, 5]["score"]) == ("dropped", None)
    (withdrawn,) = [item for item in items if item["withdrawn"]]
    assert (withdrawn["status"], len(withdrawn["judgements"])) == ("", 3)


def test_pictures_are_those_of_the_rows(mixed, tmp_path):
    folder = export(mixed, tmp_path / "out")
    for item in pq.read_table(folder / "data/items.parquet").to_pylist():
        assert folders.file_sha256(folder / item["image_file"]) == item["image_sha256"]
        assert folders.file_sha256(folder / item["maps_file"]) == item["maps_sha256"]
        assert (folder / item["maps_file"]).with_suffix(".json").is_file()
    slim = export(mixed, tmp_path / "slim", "--no-images")
    assert not (slim / "images").exists()
    assert {row["image_file"] for row in pq.read_table(slim / "data/items.parquet").to_pylist()} == {""}


def test_the_browser_gets_what_the_command_writes(mixed, client, tmp_path, monkeypatch):
    sent = client.get(f"/reports/{mixed.slug}/export.zip")
    assert sent["Content-Disposition"] == f'attachment; filename="{mixed.slug}-export.zip"'
    content = sent.getvalue()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    assert contents(tmp_path / mixed.slug) == contents(export(mixed, tmp_path / "out", "--no-images"))
    assert client.get(f"/reports/{mixed.slug}/export.zip").getvalue() == content
    monkeypatch.setattr(downloads, "MOST_SENT", 2)
    refused = client.get(f"/reports/{mixed.slug}/export.zip")
    assert (refused.status_code, "manage.py export_study" in refused.content.decode()) == (404, True)


def test_nothing_is_made_for_who_only_asks_about_it(mixed, client, monkeypatch):
    monkeypatch.setattr(downloads, "export_study", lambda *given, **named: pytest.fail("the archive was made"))
    asked = client.head(f"/reports/{mixed.slug}/export.zip")
    assert (asked.status_code, asked["Allow"]) == (405, "GET")


def test_what_drew_an_image_is_told_without_the_machines_name(mixed, tmp_path):
    drawn = mixed.items.get(position=0).generation
    type(drawn).objects.filter(pk=drawn.pk).update(made_with={"host": "gpu-1", "versions": {"torch": "2.13.0"}})
    folder = export(mixed, tmp_path / "out", "--no-images")
    told = [json.loads(line)["made_with"] for line in (folder / "items.jsonl").read_text().splitlines()]
    assert (told[0], told[1]) == ('{"versions": {"torch": "2.13.0"}}', "")


def test_a_damaged_file_stops_the_export_and_leaves_nothing(mixed, tmp_path):
    generation = mixed.items.first().generation
    files.write(str(generation.image), b"not this picture")
    with pytest.raises(CommandError, match="not the file of its row"):
        export(mixed, tmp_path / "out")
    assert list(tmp_path.glob("*out*")) == []


def test_a_folder_that_holds_something_is_refused(mixed, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(CommandError, match="not empty: choose another folder"):
        export(mixed, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["notes.txt"]


def test_the_same_data_gives_the_same_bytes(mixed, tmp_path):
    (tmp_path / "two").mkdir()
    assert contents(export(mixed, tmp_path / "one")) == contents(export(mixed, tmp_path / "two"))


def test_checksums_are_those_of_every_file(mixed, tmp_path):
    folder = export(mixed, tmp_path / "out")
    done = subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "CHECKSUMS"], cwd=folder, check=False)
    assert done.returncode == 0
    assert len(folders.checksums(folder)) == len(contents(folder)) - 1


def test_no_secret_and_nobody_s_token_leaves(mixed, tmp_path):
    whole = b"\n".join(contents(export(mixed, tmp_path / "out", "--no-images")).values())
    for enrolment in mixed.enrolments.all():
        assert enrolment.token.encode() not in whole
        assert enrolment.rater.pseudonym.encode() in whole
    assert mixed.completion_code.encode() not in whole


def test_the_report_from_the_export_is_the_report(mixed, tmp_path):
    folder = export(mixed, tmp_path / "out", "--no-images")
    for options in ({}, {"seed": 3, "include_simulated": True}):
        assert as_json(report_of(load_export(folder), **options)) == as_json(build_report(mixed, **options))


def test_the_columns_from_the_export_are_the_database_s(mixed, tmp_path):
    stored, read = load(mixed), load_export(export(mixed, tmp_path / "out", "--no-images"))
    assert (read.facts, read.raters) == (stored.facts, stored.raters)
    for part in ("items", "judgements"):
        for name, column in vars(getattr(stored, part)).items():
            assert list(getattr(getattr(read, part), name)) == list(column), name


def test_a_changed_export_is_not_reported_on(mixed, tmp_path):
    folder = export(mixed, tmp_path / "out", "--no-images")
    (folder / "study.json").write_text((folder / "study.json").read_text().replace("A study", "Another"))
    with pytest.raises(folders.FolderDamaged, match=r"study\.json is not the file that was exported"):
        load_export(folder)
    with pytest.raises(folders.FolderDamaged, match="holds no CHECKSUMS"):
        load_export(tmp_path)


def test_presence_studies_and_empty_ones_export_too(make_study, fill, tmp_path):
    study = make_study(kind="presence", items=4, slug="two")
    fill(study, {"cohyponyms": [("B", "1", "0"), ("P", "2", "B")]})
    folder = export(study, tmp_path / "two", "--no-images")
    assert as_json(report_of(load_export(folder))) == as_json(build_report(study))
    empty = make_study(items=2, slug="empty", done=False, opened=False)
    folder = export(empty, tmp_path / "empty")
    assert as_json(report_of(load_export(folder))) == as_json(build_report(empty))
    assert pq.read_table(folder / "data/judgements.parquet").num_rows == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_croissant_metadata_is_valid_and_reads_the_tables(mixed, tmp_path):
    mlc = pytest.importorskip("mlcroissant")
    address = "https://data.example/heat-maps"
    folder = export(mixed, tmp_path / "out", "--no-images", "--license", "CC-BY-4.0", "--url", address)
    dataset = mlc.Dataset(jsonld=folder / "croissant.json")
    assert not dataset.metadata.ctx.issues.errors
    assert not dataset.metadata.ctx.issues.warnings
    assert dataset.metadata.url == address
    assert f"Published at <{address}>." in (folder / "README.md").read_text()
    records = list(dataset.records(record_set="judgements"))
    assert len(records) == 38
    assert sum(record["judgements/counted"] for record in records) == 31
    assert {record["raters/rater"].decode() for record in dataset.records(record_set="raters")} == {
        enrolment.rater.pseudonym for enrolment in mixed.enrolments.select_related("rater")
    }


def test_without_an_address_none_is_made_up(mixed, tmp_path):
    folder = export(mixed, tmp_path / "out", "--no-images")
    assert "url" not in json.loads((folder / "croissant.json").read_text())
    assert "`--url https://...`" in (folder / "DATA_STATEMENT.md").read_text()
    with pytest.raises(CommandError, match="'here' is no address"):
        export(mixed, tmp_path / "again", "--url", "here")


def test_the_card_s_front_matter_names_the_tables(mixed, tmp_path):
    yaml = pytest.importorskip("yaml")
    mixed.title = 'A "quoted": title'
    mixed.save()
    folder = export(mixed, tmp_path / "out", "--no-images")
    card = (folder / "README.md").read_text()
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["pretty_name"] == 'A "quoted": title'
    assert {config["config_name"] for config in front["configs"]} == {"judgements", "items", "raters"}
    for config in front["configs"]:
        assert (folder / config["data_files"][0]["path"]).is_file()
    assert "| excluded | 1 |" in card


def test_the_documents_hold_what_is_known_and_mark_what_is_not(mixed, tmp_path):
    folder = export(mixed, tmp_path / "out", "--no-images", "--license", "CC-BY-4.0")
    shown = (folder / "INSTRUCTIONS.md").read_text()
    assert "How well does the highlighting reflect the word?" in shown
    assert "- 1 Bad" in shown
    sheet, statement = ((folder / name).read_text() for name in ("DATASHEET.md", "DATA_STATEMENT.md"))
    assert "Licence of the judgements: CC-BY-4.0." in sheet
    for text in (sheet, statement):
        assert "To be filled in by the researchers" in text
        assert "34 count" not in text
        assert "31 count" in text
    excluded = json.loads((folder / "exclusions.json").read_text())
    assert excluded["raters_by_reason"] == {"failed the checks": 1}
    assert excluded["judgements_by_fate"]["excluded"] == 1


def test_formulas_in_prompts_are_defused_in_csv_alone(mixed, tmp_path):
    prompt = mixed.items.first().generation.prompt
    prompt.text = "=HYPERLINK(1)" + prompt.text
    prompt.save()
    folder = export(mixed, tmp_path / "out", "--no-images")
    assert "'=HYPERLINK(1)" in (folder / "items.csv").read_text()
    prompts = {row["prompt"] for row in pq.read_table(folder / "data/items.parquet").to_pylist()}
    assert prompt.text in prompts


def test_a_stored_map_travels_along(mixed, tmp_path):
    content = b"any bytes"
    digest = hashlib.sha256(content).hexdigest()
    files.write("imported/map.npy", content)
    item = mixed.items.order_by("position").last()
    Item.objects.filter(pk=item.pk).update(map_source="file", map_file="imported/map.npy", map_sha256=digest)
    folder = export(mixed, tmp_path / "out")
    row = pq.read_table(folder / "data/items.parquet").to_pylist()[-1]
    assert (folder / row["map_file"]).read_bytes() == content


def test_rows_stream_and_statements_do_not_grow(mixed, tmp_path, monkeypatch, django_assert_max_num_queries):
    # The pages as shown look for an example among the first few pictures, however many there are.
    monkeypatch.setattr(writing, "write_as_shown", lambda *given, **options: None)
    with django_assert_max_num_queries(14):
        export(mixed, tmp_path / "out", "--no-images")


@pytest.mark.parametrize("kind", ["likert", "presence"])
def test_pages_as_shown_need_nothing_and_lead_nowhere(make_study, tmp_path, kind):
    study = make_study(kind=kind, items=4, texts={"ko": {"question": "지도는 얼마나 맞습니까?"}})
    folder = export(study, tmp_path / "out") / "as-shown"
    assert sorted(path.name for path in folder.iterdir()) == [
        "instructions.en.html",
        "instructions.ko.html",
        "item.en.html",
        "item.ko.html",
    ]
    for path in folder.iterdir():
        page = path.read_text()
        assert not re.search(r"<script|<link|nobody|csrf|ticket|https?://(?!www.w3.org)", page), path.name
        assert not re.search(r'\s(?:href|src|action|data-[a-z-]+)="(?!#|data:image/)', page), path.name
        assert "<style>" in page
    shown = (folder / "item.ko.html").read_text()
    assert "지도는 얼마나 맞습니까?" in shown
    assert shown.count('src="data:image/png;base64,') == (4 if kind == "likert" else 1)
