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
from attribution.daam.methods import METHODS
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


def test_a_run_goes_on_where_it_was_stopped(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["maps", "a dog", "two cats", "a ball", "--model", model, "--out", str(tmp_path), "--steps", "1"]
    assert main(arguments) == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    (tmp_path / "001-two-cats" / "maps.json").unlink()
    (tmp_path / "001-two-cats" / "image.png").write_bytes(b"half")
    capsys.readouterr()
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(tmp_path / "001-two-cats")]
    assert "2 of 3 are there already" in said.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


def test_what_another_recipe_drew_is_kept_unless_told_otherwise(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["maps", "a dog", "--model", model, "--out", str(tmp_path), "--steps", "1"]
    assert main(arguments) == 0
    before = (tmp_path / "000-a-dog" / "image.png").read_bytes()
    for other in (["--seed", "9"], ["--method", "blob"], ["--guidance", "2"]):
        assert main([*arguments, *other]) == 2
    assert "choose another --out, or pass --overwrite" in capsys.readouterr().err
    assert (tmp_path / "000-a-dog" / "image.png").read_bytes() == before
    (tmp_path / "000-a-dog" / "99-old.png").touch()
    assert main([*arguments, "--seed", "9", "--overwrite"]) == 0
    assert (tmp_path / "000-a-dog" / "image.png").read_bytes() != before
    assert not (tmp_path / "000-a-dog" / "99-old.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to draw"),
        (["a dog", "--method", "magic"], "no method 'magic'; choose from daam"),
        (["a dog", "--model", "no/such.safetensors"], "no file no/such.safetensors: download it first"),
        (["a dog", "--model", "no/such.ckpt"], "is a pickle"),
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
    assert all(name in "".join(run.stdout.split()) for name in METHODS)
