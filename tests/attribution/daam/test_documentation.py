"""The page on generating: its code runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "generating.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def test_the_code_on_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    for block in blocks("python"):
        exec(compile(block, str(PAGE), "exec"), {})  # noqa: S102
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        f"{seed}.{suffix}" for seed in (1, 2) for suffix in ("json", "npz", "png")
    ]
    assert list((tmp_path / "scratch").iterdir()) == []
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("a red star (64, 64)")
    assert float(said[-1]) > 0
