"""Drawing by recipe with transformers: the image is the one of the family's own pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import attribution
from attribution.records import Recipe


@pytest.mark.parametrize("family", ["sd3", "flux", "pixart"])
def test_it_is_the_pipelines_own_image(pipelines: dict[str, Any], family: str, tmp_path: Path) -> None:
    pipeline = pipelines[family]
    recipe = Recipe(family, steps=1, guidance=3.0, height=32, width=48)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)  # so that the image is drawn alone
    try:
        (drawn,) = attribution.generate(recipe, ["a dog"], [1], pipeline=pipeline, cache=tmp_path)
        as_written = {"use_resolution_binning": False, "clean_caption": False} if family == "pixart" else {}
        generator = torch.Generator().manual_seed(1)
        options = {"num_inference_steps": 1, "guidance_scale": 3.0, "height": 32, "width": 48, **as_written}
        own = pipeline(prompt="a dog", generator=generator, **options).images[0]
    finally:
        torch.set_num_threads(threads)
    assert drawn.image.size == (48, 32)
    assert drawn.image.tobytes() == own.tobytes()
    assert drawn.heat_maps.prompt == "a dog"
