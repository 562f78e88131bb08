"""Segmenters of transformers: the real classes, tiny; masks known beforehand where the class has to be right."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.models.mask2former.modeling_mask2former import Mask2FormerForUniversalSegmentationOutput

from attribution.errors import SegmenterError
from attribution.segmentation import segmenter
from attribution.segmentation.clipseg import ClipSeg
from attribution.segmentation.mask2former import Mask2Former

WIDE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8))


def test_mask2former_runs_on_an_image_of_any_shape(mask2former_folder):
    found = Mask2Former(str(mask2former_folder), "cpu").masks(WIDE, ["cat", "man", "grass", "teapot"])
    assert set(found) == {"cat"}
    assert found["cat"].shape == (40, 60)
    assert found["cat"].dtype == bool


def test_the_segments_of_a_label_become_a_nouns_mask(mask2former_folder):
    """Three queries: a person above, a person at the lower left, a cat at the lower right."""
    made = Mask2Former(str(mask2former_folder), "cpu")
    quarters = torch.full((1, 3, 8, 8), -9.0)
    quarters[0, 0, :4], quarters[0, 1, 4:, :4], quarters[0, 2, 4:, 4:] = 9.0, 9.0, 9.0
    classes = torch.full((1, 3, 4), -9.0)
    classes[0, [0, 1, 2], [0, 0, 1]] = 9.0
    outputs = Mask2FormerForUniversalSegmentationOutput(class_queries_logits=classes, masks_queries_logits=quarters)
    made._parts[1].forward = lambda **inputs: outputs
    found = made.masks(WIDE, ["woman", "cat", "grass", "teapot"])
    assert set(found) == {"woman", "cat"}
    cat = np.zeros((40, 60), dtype=bool)
    cat[20:, 30:] = True
    # Segments meet at an edge of interpolated masks, one pixel wide.
    assert (found["cat"] ^ cat).mean() < 0.04
    assert (found["woman"] ^ ~cat).mean() < 0.04
    assert found["cat"][-1, -1]
    assert found["woman"][-1, 0]
    assert found["woman"][0, -1]


def test_mask2former_is_not_asked_about_nouns_that_it_does_not_know(mask2former_folder):
    made = Mask2Former(str(mask2former_folder), "cpu")
    made._parts[1].forward = None
    assert made.masks(WIDE, ["teapot"]) == {}


def test_clipseg_gives_each_noun_its_own_mask(clipseg_folder):
    made = ClipSeg(str(clipseg_folder), "cpu", threshold=0.5)
    together = made.masks(WIDE, ["star", "moon"])
    alone = made.masks(WIDE, ["moon"])
    assert all(mask.shape == (40, 60) for mask in together.values())
    np.testing.assert_array_equal(together.get("moon"), alone.get("moon"))
    assert made.masks(WIDE, []) == {}


def test_clipsegs_threshold_is_on_the_probability(clipseg_folder):
    """The masks against the model called by hand on the same inputs."""
    made = ClipSeg(str(clipseg_folder), "cpu")
    processor, model = made._parts
    inputs = processor(text=["a photo of a star"], images=[WIDE], return_tensors="pt")
    with torch.inference_mode():
        logits = model(**inputs).logits.reshape(1, 1, 32, 32)
    probability = torch.nn.functional.interpolate(logits, (40, 60), mode="bilinear")[0, 0].sigmoid().numpy()
    threshold = float(np.quantile(probability, 0.7))
    found = ClipSeg(str(clipseg_folder), "cpu", threshold=threshold).masks(WIDE, ["star"])["star"]
    assert 0.25 < found.mean() < 0.35
    np.testing.assert_array_equal(found, probability >= threshold)


@pytest.mark.parametrize("kind", ["mask2former", "clipseg"])
def test_a_checkpoint_that_is_not_there_is_named_with_its_remedy(kind, tmp_path):
    with pytest.raises(SegmenterError, match="hf download nobody/nothing"):
        segmenter(f"{kind}:nobody/nothing").masks(WIDE, ["cat"])
    with pytest.raises(SegmenterError, match="cannot be loaded"):
        segmenter(f"{kind}:{tmp_path}").masks(WIDE, ["cat"])


def test_naming_a_segmenter_loads_no_torch():
    code = (
        "import sys\nfrom attribution.segmentation import segmenter\n"
        "segmenter('mask2former'), segmenter('clipseg:some/where'), segmenter('tinyworld')\n"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
