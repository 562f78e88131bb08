"""docs/in-production.md names settings, services and metrics: all of them exist, and none is left out."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.urls import resolve

import annotation_site.settings
from annotation_site.operations import metrics
from tests.annotation_site.operations import compose

PAGE = (compose.ROOT / "docs" / "in-production.md").read_text(encoding="utf-8")
SETTINGS = str(annotation_site.settings.__doc__)


def names_in_rows(text: str) -> set[str]:
    """The variables of a table whose rows begin with one or more of them."""
    cells = re.findall(r"^(?:\| )?`?([A-Z][A-Z_]+`?(?:, `?[A-Z_]+`?)*)", text, re.MULTILINE)
    return {name.strip("` ") for cell in cells for name in cell.split(",")}


def test_the_table_of_settings_is_the_one_of_the_settings_themselves():
    table = PAGE.split("## Settings")[1].split("## ")[0].split("For compose")[0]
    described = SETTINGS.split("variable  ")[1]
    assert names_in_rows(table) == names_in_rows(described)


@pytest.mark.django_db
def test_every_metric_is_explained_and_every_explained_one_exists():
    real = {metric.name for metric in metrics.measured(now=datetime(2026, 1, 1, tzinfo=UTC))}
    assert set(re.findall(r"attest_[a-z_]+", PAGE)) == real


@pytest.mark.parametrize("address", ["/livez", "/readyz", "/metrics"])
def test_the_addresses_exist(address):
    assert f"`{address}`" in PAGE
    assert resolve(address)


def test_the_services_that_are_named_exist():
    services = compose.services()
    for line in re.findall(
        r"docker compose (?:exec|stop|run --rm)(?: -T)? ([a-z -]+?)(?: python| hf| rm| tar|\n)", PAGE
    ):
        assert set(line.split()) <= set(services), line
