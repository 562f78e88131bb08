"""The page on maps: its code runs as it stands there, on tiny pipelines, and its tables are the registries'."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import attribution
from attribution.daam.families import FAMILIES
from attribution.daam.methods import METHODS

PAGE = Path(__file__).resolve().parents[4] / "docs" / "maps.md"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def quoted(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def test_the_code_on_the_page_runs(
    shared_pipeline: Any,
    pipelines: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tiny = {"tinyworld": shared_pipeline, "black-forest-labs/FLUX.1-schnell": pipelines["flux"]}
    monkeypatch.setattr(attribution, "load_pipeline", lambda name, **_: tiny[name])
    monkeypatch.setattr(pipelines["flux"], "default_sample_size", 16)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "['two', 'green', 'fish']"
    assert [line.split()[0] for line in said[2:5]] == ["daam", "concept-attention", "uniform"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.json", "first.npz", "star.png"]
    assert names["house"].text == "house"
    assert names["names"] == tuple(METHODS)


def test_the_table_of_families_is_the_registry() -> None:
    table = {cells[0].strip("`"): cells for cells in rows("Families")}
    assert list(table) == [family.name for family in FAMILIES]
    for family in FAMILIES:
        _, pipelines, traced, _ = table[family.name]
        assert quoted(pipelines) == family.pipelines
        assert set(family.default_layers) <= quoted(traced)


def test_the_table_of_methods_is_the_registry() -> None:
    table = {cells[0].strip("`"): cells for cells in rows("Methods")}
    assert tuple(table) == tuple(METHODS)
    for name, method in METHODS.items():
        _, _, fits, options = table[name]
        fitting = {family.name for family in FAMILIES if method.fits(family)}
        assert quoted(fits) == (set() if len(fitting) == len(FAMILIES) else fitting)
        assert quoted(options) == method.options
