"""What is known of a model before it is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from attribution.errors import PipelineError
from attribution.presets import fingerprint, preset


def test_the_shipped_model_says_what_it_is_and_how_it_is_used():
    known = preset("tinyworld")
    assert (known.title, known.trained, known.licence) == ("Tiny world", True, "MIT")
    assert (known.recipe.height, known.recipe.width, known.recipe.steps) == (64, 64, 20)
    assert len(known.recipe.revision) == 12


def test_a_hub_id_gets_the_papers_recipe_and_keeps_its_revision():
    recipe = preset("someone/some-model", "abc123").recipe
    assert (recipe.height, recipe.width, recipe.steps, recipe.revision) == (512, 512, 30, "abc123")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "attest.json").write_text(json.dumps({"title": "Mine", "trained": False, "recipe": {"steps": 7}}))
    return tmp_path


def test_a_folder_describes_itself(folder):
    known = preset(str(folder))
    assert (known.title, known.trained, known.recipe.steps, known.recipe.model) == ("Mine", False, 7, str(folder))


def test_other_weights_are_another_fingerprint_and_other_files_are_not(folder):
    before = fingerprint(folder)
    (folder / "README.md").write_text("words")
    assert fingerprint(folder) == before
    (folder / "unet" / "model.safetensors").write_bytes(b"Weights")
    assert fingerprint(folder) != before


@pytest.mark.parametrize(
    "content", ["not JSON", "[]", '{"title": "no word on training"}', '{"title": "x", "trained": 1, "recipe": 3}']
)
def test_a_description_that_cannot_be_used_is_named(folder, content):
    (folder / "attest.json").write_text(content)
    with pytest.raises(PipelineError, match=r"attest\.json is not a usable model description"):
        preset(str(folder))
