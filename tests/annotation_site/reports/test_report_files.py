"""A report as JSON, CSV, text and figures: the same rows, no NaN, no formulas, the same bytes."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotation_site.reports import figure, formats, text
from annotation_site.reports.report import build_report

NAN = re.compile(r"\bnan\b", re.IGNORECASE)


def test_json_holds_the_rows_and_the_reasons(rated):
    written = formats.as_json(build_report(rated))
    read = json.loads(written)
    rows = {row["tag"]: row for row in read["people"]["rows"]}
    assert rows["NOUN"]["answers"] == {"bad": 1, "poor": 3, "fair": 1, "good": 2, "excellent": 2}
    assert rows["NOUN"]["mean"]["value"] == pytest.approx(10 / 3, abs=1e-6)
    assert rows["ADJ"]["alpha"] == {"value": None, "low": None, "high": None, "undefined": "all answers equal"}
    assert rows["VERB"]["mean"] == {"value": 3.5, "low": None, "high": None, "undefined": "one image"}
    assert rows["DET"]["fair_answers"] == {"share": None, "count": 0, "of": 0, "undefined": "no ratings"}
    assert read["totals"]["counted"] == 34
    assert read["seed"] == 0
    assert "simulated" not in read
    assert not NAN.search(written)


def test_csv_holds_the_same_rows(rated):
    written = formats.as_csv(build_report(rated))
    lines = {line["tag"]: line for line in csv.DictReader(io.StringIO(written))}
    assert list(lines) == ["ADJ", "DET", "NOUN", "VERB", "all tags"]
    assert float(lines["NOUN"]["mean"]) == pytest.approx(10 / 3, abs=1e-6)
    assert (lines["NOUN"]["mean_low"], lines["NOUN"]["mean_high"]) == ("2.0", "5.0")
    assert lines["ADJ"]["alpha"] == "undefined: all answers equal"
    assert lines["VERB"]["mean_low"] == "undefined: one image"
    assert (lines["VERB"]["too_abstract_rate_count"], lines["VERB"]["too_abstract_rate_of"]) == ("1", "7")
    assert lines["NOUN"]["excellent"] == "2"
    assert {line["population"] for line in lines.values()} == {"people"}
    assert not NAN.search(written)


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n@x"])
def test_text_that_a_spreadsheet_would_run_is_defused(text):
    assert formats.defused(text) == f"'{text}"


@pytest.mark.parametrize("cell", [-0.25, 3, "NOUN", "a=b", ""])
def test_numbers_and_plain_text_stay_as_they_are(cell):
    assert formats.defused(cell) == cell


def test_a_formula_for_a_tag_reaches_no_spreadsheet(rated):
    report = build_report(rated)
    odd = dataclasses.replace(report.people.rows[0], tag="=HYPERLINK(1)")
    people = dataclasses.replace(report.people, rows=(odd,))
    assert "'=HYPERLINK(1)" in formats.as_csv(dataclasses.replace(report, people=people))


def test_both_populations_are_labelled_in_one_csv(make_study, fill):
    study = make_study(items=4, seats_per_item=1)
    fill(study, {"NOUN": [(1,)]}, simulated=True)
    fill(study, {"VERB": [(5,)]})
    lines = list(csv.DictReader(io.StringIO(formats.as_csv(build_report(study, include_simulated=True)))))
    judgements = {(line["population"], line["tag"]): line["judgements"] for line in lines}
    assert judgements["people", "NOUN"] == judgements["simulated raters", "VERB"] == "0"
    assert judgements["people", "VERB"] == judgements["simulated raters", "NOUN"] == "1"


def test_the_text_table_is_aligned():
    table = text.aligned(["tag", "pairs"], [["NOUN", "7"], ["X", "2800"]])
    assert table == "tag   pairs\n----  -----\nNOUN      7\nX      2800"


def test_the_command_prints_rows_totals_and_the_warning(rated, enrol, judge, capsys):
    verb = rated.items.filter(word__tag="VERB").order_by("position")
    judge(verb[2], enrol(rated, simulated=True), 5)
    call_command("report", "study")
    printed = capsys.readouterr().out
    assert "35 stored = 34 counted + 0 superseded + 0 surplus + 1 simulated + 0 withdrawn + 0 excluded" in printed
    assert "WARNING: 1 judgements are by simulated raters" in printed
    assert re.search(r"^NOUN +3 +9 +0 +0 +3 +3\.33 \(2\.00 to 5\.00\) +3 ", printed, re.MULTILINE)
    assert "undefined: all answers equal" in printed
    assert not NAN.search(printed)
    call_command("report", "study", "--include-simulated")
    assert "simulated raters: 1 raters, 1 judgements" in capsys.readouterr().out


def test_the_command_prints_json(rated, capsys):
    call_command("report", "study", "--json", "--seed", "4")
    read = json.loads(capsys.readouterr().out)
    assert (read["study"], read["seed"]) == ("study", 4)


def test_the_command_of_a_presence_study(make_study, fill, capsys):
    fill(make_study(kind="presence", items=2, slug="two"), {"cohyponyms": [("B", "B", "1")]})
    call_command("report", "two")
    printed = capsys.readouterr().out
    assert re.search(r"^cohyponyms +1 +3 +0 +1 +100%", printed, re.MULTILINE)
    assert "undefined: no scored image of non-cohyponyms; " in printed


def test_the_same_data_and_seed_give_the_same_bytes(rated, tmp_path: Path):
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        call_command("report", "study", "--out", str(folder), stdout=io.StringIO(), stderr=io.StringIO())
    names = sorted(path.name for path in folders[0].iterdir())
    assert names == [
        "CHECKSUMS", "figure.pdf", "figure.png", "figure.svg", "report.html", "report.json", "report.pdf", "rows.csv",
        "tables",
    ]  # fmt: skip
    for path in sorted(path.relative_to(folders[0]) for path in folders[0].rglob("*.*")):
        assert (folders[0] / path).read_bytes() == (folders[1] / path).read_bytes(), path
    tables = {path.name for path in (folders[0] / "tables").iterdir()}
    assert {"rows.csv", "rows.tex", "contrasts.csv", "raters.tex", "sensitivity.csv"} <= tables


def test_an_unknown_study_is_told_which_there_are(make_study):
    make_study(items=1, slug="known", done=False, opened=False)
    with pytest.raises(CommandError, match=r"no study 'other'\. Studies: known"):
        call_command("report", "other")


def test_a_folder_that_cannot_be_written_is_an_error_with_its_name(make_study, tmp_path: Path):
    make_study(items=1, done=False, opened=False)
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(CommandError, match="taken"):
        call_command("report", "study", "--out", str(tmp_path / "taken"), stdout=io.StringIO())


def test_a_negative_seed_is_refused(make_study):
    make_study(items=1, done=False, opened=False)
    with pytest.raises(CommandError, match="--seed is -1"):
        call_command("report", "study", "--seed", "-1")


def test_figures_are_drawings_of_their_rows(rated):
    report = build_report(rated)
    svg, png, pdf = (figure.figure_bytes(report, report.people, form) for form in figure.FORMATS)
    assert svg.startswith(b"<?xml")
    assert b"<dc:date>" not in svg
    assert png.startswith(b"\x89PNG")
    assert pdf.startswith(b"%PDF")
    without = dataclasses.replace(report.people, rows=report.people.rows[:2])
    assert figure.figure_bytes(report, without, "svg") != svg


def test_every_figure_has_its_words(rated, make_study, fill):
    report = build_report(rated)
    words = figure.alternative_text(report, report.people)
    assert "ADJ 4.00, DET undefined, NOUN 3.33, VERB 3.50" in words
    pair = make_study(kind="presence", items=2, slug="two", seats_per_item=1)
    fill(pair, {"cohyponyms": [("B",)]})
    two = build_report(pair)
    assert "cohyponyms 100%, non-cohyponyms undefined" in figure.alternative_text(two, two.people)
    assert figure.figure_bytes(two, two.people, "png").startswith(b"\x89PNG")


def test_a_figure_without_judgements_says_so(make_study):
    report = build_report(make_study(items=1, done=False, opened=False))
    assert "nothing to draw" in figure.alternative_text(report, report.people)
    assert figure.figure_bytes(report, report.people, "svg").startswith(b"<?xml")
