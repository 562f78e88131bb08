"""``python -m attribution maps``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import attribution
from attribution.__main__ import main
from attribution.presets import fingerprint


@pytest.fixture(scope="module")
def model(shared_pipeline: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    shared_pipeline.save_pretrained(folder)
    return str(folder)


def test_each_prompt_gets_a_folder(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = tmp_path / "more.txt"
    more.write_text("two cats\n\n一只狗\n", encoding="utf-8")
    out = tmp_path / "out"
    arguments = ["maps", "a dog's ball!", "--file", str(more), "--model", model, "--out", str(out)]
    assert main([*arguments, "--steps", "1", "--width", "48", "--seed", "5", "--colours", "cividis"]) == 0
    folders = sorted(path.name for path in out.iterdir())
    assert folders == ["000-a-dog-s-ball", "001-two-cats", "002-一只狗"]
    assert capsys.readouterr().out.splitlines() == [str(out / name) for name in folders]
    names = sorted(path.name for path in (out / folders[0]).iterdir())
    assert names == ["01-a.png", "02-dog-s.png", "03-ball.png", "image.png", "maps.json", "maps.npz", "sheet.png"]
    with Image.open(out / folders[0] / "03-ball.png") as overlay:
        assert overlay.size == (48, 32)
    maps = attribution.HeatMaps.load(out / folders[1] / "maps")
    assert (maps.prompt, maps.seed, maps.steps) == ("two cats", 6, 1)
    recipe = {"steps": 1, "guidance": 7.5, "height": 32, "width": 48, "scheduler": "", "dtype": "float32"}
    assert maps.recipe == {"model": model, "revision": fingerprint(Path(model)), **recipe}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to draw"),
        (["a dog", "--model", "no/such-model"], "hf download no/such-model"),
        (["--file", "nowhere.txt"], "nowhere.txt"),
    ],
)
def test_what_is_missing_is_said_plainly(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["maps", *arguments, "--out", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


def test_help_loads_no_torch() -> None:
    code = (
        "import sys\nfrom attribution.__main__ import main\n"
        "try:\n    main(['maps', '--help'])\nexcept SystemExit:\n    pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--scheduler" in run.stdout
