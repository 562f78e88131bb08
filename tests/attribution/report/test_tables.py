"""Tables: what a cell becomes in JSON, CSV, HTML and text."""

from __future__ import annotations

import csv
import io
import math

import pytest

from attribution.analysis.intervals import NOWHERE, Estimate, Interval
from attribution.report.tables import Column, Table, written

FULL = Estimate(0.3344, Interval(0.3, 0.3689))
ALONE = Estimate(0.5, NOWHERE, "one prompt")
NONE = Estimate.undefined("no values")
TABLE = Table(
    "rows",
    "Two & more",
    (Column("name", "name"), Column("pairs", "pairs", "count"), Column("iou", "mIoU", "share")),
    [
        {"name": "nmod:of", "pairs": 1234, "iou": FULL},
        {"name": '<b>,"', "pairs": 0, "iou": NONE},
        {"name": "acl", "pairs": 2, "iou": ALONE},
    ],
    note="1 < 2",
)


@pytest.mark.parametrize(
    ("cell", "kind", "text"),
    [
        (FULL, "share", "33.4 (30.0 to 36.9)"),
        (ALONE, "share", "50.0 (one prompt)"),
        (NONE, "share", "undefined: no values"),
        (Estimate(-0.0001, Interval(-0.2, 0.1)), "points", "0.0 (\N{MINUS SIGN}20.0 to +10.0)"),
        (1234.0, "count", "1,234"),
        (None, "share", "-"),
        (math.nan, "share", "-"),
        ("text", "text", "text"),
        (0.012345, "number", "0.0123"),
    ],
)
def test_a_cell_for_people(cell, kind, text):
    assert written(cell, kind) == text


def test_json_says_why_a_number_is_missing():
    rows = TABLE.as_json()
    assert rows[0] == {"name": "nmod:of", "pairs": 1234, "iou": {"value": 0.3344, "low": 0.3, "high": 0.3689}}
    assert rows[1]["iou"] == {"value": None, "low": None, "high": None, "undefined": "no values"}
    assert rows[2]["iou"] == {"value": 0.5, "low": None, "high": None, "undefined": "one prompt"}


def test_csv_has_a_column_for_each_end():
    rows = list(csv.DictReader(io.StringIO(TABLE.as_csv())))
    assert rows[0] == {
        "name": "nmod:of", "pairs": "1234",
        "iou": "0.3344", "iou_low": "0.3", "iou_high": "0.3689", "iou_undefined": "",
    }  # fmt: skip
    assert (rows[1]["name"], rows[1]["iou"], rows[1]["iou_undefined"]) == ('<b>,"', "", "no values")


def test_html_escapes_and_empty_tables_say_so():
    page = TABLE.as_html()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "Two &amp; more" in page
    assert "1 &lt; 2" in page
    assert "Nothing to show" in Table("rows", "t", TABLE.columns, []).as_html()


def test_text_is_aligned():
    lines = TABLE.as_text().splitlines()
    assert len({line.index(cell) for line, cell in zip(lines, ("mIoU", "33.4", "undef", "50.0"), strict=True)}) == 1
