"""``python -m attribution analyse``: from a folder of generations to a report, and on from where it stopped."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from attribution.__main__ import main
from attribution.report import run
from tests.attribution.generations import cells, prompt, store

PROMPT = prompt(("red", "ADJ", 1, "amod"), ("dog", "NOUN", 1, "root"), ("runs", "VERB", 1, "acl", "run"))
SHAPE = (4, 4)
DOG = cells(SHAPE, (0, 0), (1, 0))
RED = cells(SHAPE, (0, 0), (0, 1), (0, 2), (0, 3))


def fill(folder: Path, names: str) -> Path:
    for name in names:
        store(folder / name, PROMPT, [RED, DOG, DOG])
    return folder


def analyse(kind: str, folder: Path, out: Path, *more: str) -> int:
    return main(["analyse", kind, str(folder), "--out", str(out), *more])


def rows(out: Path, table: str = "rows") -> dict[str, dict]:
    found = json.loads((out / "report.json").read_text())["tables"][table]
    return {next(iter(row.values())): row for row in found}


def test_every_file_has_the_same_rows(tmp_path, capsys):
    folder, out = fill(tmp_path / "g", "abc"), tmp_path / "out"
    assert analyse("syntax", folder, out) == 0
    amod = rows(out)["amod"]
    assert (amod["pairs"], amod["images"]) == (3, 3)
    assert amod["iou"]["value"] == pytest.approx(1 / 5)
    assert amod["paper"] == "14.7 / 45.1 / 19.1"
    (line,) = [row for row in csv.DictReader(io.StringIO((out / "rows.csv").read_text())) if row["relation"] == "amod"]
    assert (float(line["iod"]), float(line["ioh"]), line["iou_undefined"]) == (1 / 4, 1 / 2, "one prompt")
    page = (out / "index.html").read_text()
    assert "25.0 (one prompt)" in page
    assert "25.0 (one prompt)" in capsys.readouterr().out
    assert "IoU 20, IoD 25, IoH 50. red dog runs" in page
    assert page.count("data:image/png") == 2 * 3
    assert (out / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert "http" not in page.replace("http://www.w3.org", "").replace("https://www.w3.org", "")


def test_the_same_folder_gives_the_same_bytes(tmp_path):
    folder = fill(tmp_path / "g", "ab")
    for out in ("one", "two"):
        assert analyse("syntax", folder, tmp_path / out) == 0
    for name in ("report.json", "rows.csv", "figure.svg", "figure.png", "index.html", "records.jsonl"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_stopped_run_goes_on_where_it_stopped(tmp_path, monkeypatch, capsys):
    folder, out = fill(tmp_path / "g", "abcd"), tmp_path / "out"
    assert analyse("syntax", folder, tmp_path / "whole") == 0
    out.mkdir()
    whole = (tmp_path / "whole" / run.RECORDS).read_bytes()
    # Killed in the middle of the third image's line.
    (out / run.RECORDS).write_bytes(b"".join(whole.splitlines(keepends=True)[:3]) + whole.splitlines()[3][:20])
    assert analyse("syntax", folder, out) == 0
    assert "2 images measured, 2 already there" in capsys.readouterr().out
    assert (out / run.RECORDS).read_bytes() == whole
    assert (out / "report.json").read_bytes() == (tmp_path / "whole" / "report.json").read_bytes()


def test_an_image_that_two_runs_measured_counts_once(tmp_path, capsys):
    folder, out = fill(tmp_path / "g", "ab"), tmp_path / "out"
    analyse("intensity", folder, out)
    lines = (out / run.RECORDS).read_text().splitlines(keepends=True)
    (out / run.RECORDS).write_text("".join([*lines, lines[1]]))
    analyse("intensity", folder, out)
    assert "0 images measured, 2 already there" in capsys.readouterr().out
    assert rows(out)["ADJ"]["words"] == 2


def test_a_map_is_made_hard_in_one_way_only(tmp_path, capsys):
    fill(tmp_path / "g", "a")
    with pytest.raises(SystemExit):
        analyse("syntax", tmp_path / "g", tmp_path / "out", "--tau", "0.3", "--absolute", "0.15")
    assert "not allowed with argument" in capsys.readouterr().err
    assert analyse("syntax", tmp_path / "g", tmp_path / "out", "--tau", "1.5") == 2
    assert "threshold 1.5 (relative)" in capsys.readouterr().err


def test_new_images_are_added(tmp_path, capsys):
    folder, out = fill(tmp_path / "g", "ab"), tmp_path / "out"
    analyse("intensity", folder, out)
    fill(folder, "c")
    analyse("intensity", folder, out)
    assert "1 images measured, 2 already there" in capsys.readouterr().out
    assert rows(out)["ADJ"]["words"] == 3


def test_damaged_generations_are_named_skipped_and_counted(tmp_path, capsys):
    folder, out = fill(tmp_path / "g", "abc"), tmp_path / "out"
    (folder / "b" / "maps.npz").write_bytes(b"PK\x03\x04 no archive")
    assert analyse("syntax", folder, out) == 0
    assert rows(out)["amod"]["pairs"] == 2
    assert "2 images measured, 0 already there, 1 skipped." in (said := capsys.readouterr().out)
    assert str(folder / "b" / "maps.npz") in said
    found = json.loads((out / "report.json").read_text())
    assert (found["images"], found["skipped"], list(found["skipped_names"])) == (2, 1, ["b"])
    assert "maps.npz is corrupt" in (out / "index.html").read_text()
    # Mended, it is measured.
    (folder / "b" / "maps.npz").write_bytes((folder / "a" / "maps.npz").read_bytes())
    assert analyse("syntax", folder, out) == 0
    assert rows(out)["amod"]["pairs"] == 3


def test_records_of_other_settings_are_refused_until_measured_again(tmp_path, capsys):
    folder, out = fill(tmp_path / "g", "a"), tmp_path / "out"
    analyse("syntax", folder, out)
    assert analyse("syntax", folder, out, "--tau", "0.3") == 2
    assert "threshold 'tau 0.4', not 'tau 0.3'" in capsys.readouterr().err
    assert analyse("syntax", folder, out, "--parser", "other") == 2
    assert "parser 'shipped', not 'other'" in capsys.readouterr().err
    assert analyse("intensity", folder, out) == 2
    assert "kind 'syntax', not 'intensity'" in capsys.readouterr().err
    assert analyse("syntax", folder, out, "--tau", "0.3", "--again") == 0


def test_records_that_are_not_ours_are_refused(tmp_path, capsys):
    folder, out = fill(tmp_path / "g", "a"), tmp_path / "out"
    analyse("syntax", folder, out)
    with (out / run.RECORDS).open("a") as file:
        file.write("{}\n")
    assert analyse("syntax", folder, out) == 2
    assert "no record of ours" in capsys.readouterr().err


def test_thresholds_and_conventions_change_what_is_measured(tmp_path):
    folder, weak = tmp_path / "g", cells(SHAPE, (0, 0), values={(1, 0): 0.2})
    store(folder / "a", PROMPT, [RED, weak, DOG], steps=10)
    for name, options, iou in (
        ("tau", ["--tau", "0.1"], 1 / 5),
        ("half", ["--tau", "0.5"], 1 / 4),
        ("soft", ["--soft"], 1 / 4.2),
        # On raw maps, ten times ours: 10 and 2 are above 1.5, 2 is not above 5.
        ("raw", ["--absolute", "1.5"], 1 / 5),
        ("raw, higher", ["--absolute", "5", "--subtypes", "merged"], 1 / 4),
    ):
        assert analyse("syntax", folder, tmp_path / name, *options) == 0
        assert rows(tmp_path / name)["amod"]["iou"]["value"] == pytest.approx(iou, rel=1e-3)


def test_a_folder_without_generations_gives_an_empty_report(tmp_path):
    (tmp_path / "g").mkdir()
    for kind in ("syntax", "intensity"):
        assert analyse(kind, tmp_path / "g", tmp_path / kind) == 0
        assert "undefined: no values" in (tmp_path / kind / "index.html").read_text()


def test_a_missing_folder_is_named(tmp_path, capsys):
    assert analyse("syntax", tmp_path / "nowhere", tmp_path / "out") == 2
    assert "nowhere is no folder" in capsys.readouterr().err


def test_examples_without_their_image_are_left_out(tmp_path):
    folder, out = fill(tmp_path / "g", "ab"), tmp_path / "out"
    (folder / "a" / "image.png").unlink()
    assert analyse("syntax", folder, out) == 0
    assert (out / "index.html").read_text().count("data:image/png") == 2


def test_intensity_is_the_mean_marked_share(tmp_path):
    folder, out = fill(tmp_path / "g", "ab"), tmp_path / "out"
    store(folder / "c", PROMPT, [RED, np.ones(SHAPE), np.zeros(SHAPE)], cut=len("red dog"))
    assert analyse("intensity", folder, out) == 0
    found = rows(out)
    assert found["NOUN"]["area"]["value"] == pytest.approx((2 / 16 + 2 / 16 + 1) / 3)
    assert (found["VERB"]["words"], found["all words"]["words"]) == (2, 8)
    assert "1 words have no map" in (out / "index.html").read_text()


def test_without_matplotlib_the_remedy_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    assert analyse("intensity", fill(tmp_path / "g", "a"), tmp_path / "out") == 2
    assert "pip install 'attest[web]'" in capsys.readouterr().err
