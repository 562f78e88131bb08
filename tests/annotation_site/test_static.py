"""What the browser is sent: small, ours, and true to the tables that it repeats."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings

from attribution.maps.colours import colour_table

STATIC = Path(settings.BASE_DIR) / "static"
TEMPLATES = Path(settings.BASE_DIR) / "templates"


def compressed(*patterns: str) -> int:
    return sum(len(gzip.compress(path.read_bytes())) for pattern in patterns for path in STATIC.glob(pattern))


def test_the_budget_is_kept():
    assert 0 < compressed("js/*.js") < 25_000
    assert 0 < compressed("css/*.css") < 10_000


def test_the_colour_bar_shows_the_colours_of_the_maps():
    gradient = re.search(r"linear-gradient\(to right, ([^)]*)\)", (STATIC / "css" / "rating.css").read_text())
    stops = [bytes.fromhex(stop.strip().removeprefix("#")) for stop in gradient[1].split(",")]
    table = colour_table("inferno")
    assert stops == [table[min(32 * index, 255)].tobytes() for index in range(9)]


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_templates_hold_no_inline_scripts_and_styles(template):
    text = template.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
