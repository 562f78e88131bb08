"""Raw maps: apart along the axes asked for, and together the image's own maps."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import attribution
from attribution import RawMaps
from attribution.daam.attention import Attended
from attribution.errors import TraceError

Arrays = np.ndarray[Any, Any]
DOG = "a dog chasing a ball"
AXES = ("steps", "layers", "heads")
HEADS = 3 * 2 + 3 * 4
"""Three layers of two heads at 16 x 16 positions, three of four at 8 x 8; one of each going down, two going up."""


def assert_close(ours: Arrays, theirs: Arrays) -> None:
    assert ours.shape == theirs.shape
    assert (np.abs(ours - theirs) <= 1e-5 * np.abs(theirs).max()).all()


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        (("layers",), (6,)),
        (("heads",), (HEADS,)),
        (("steps",), (2,)),
        (("layers", "heads"), (HEADS,)),
        (("layers", "steps"), (2, 6)),
        (("heads", "steps"), (2, HEADS)),
    ],
)
@pytest.mark.parametrize("words", [None, [["dog"], ["two", "cats"]]])
def test_their_sum_is_the_images_maps(pipeline: Any, draw: Any, axes: Any, shape: Any, words: Any) -> None:
    with attribution.trace(pipeline, words, raw=axes) as tracer:
        draw([DOG, "two cats"], seeds=(1, 2), width=48)
    for maps, raw in zip(tracer.heat_maps(), tracer.raw(), strict=True):
        assert raw.values.shape == (*shape, len(maps.kept), 16, 24)
        assert raw.values.dtype == np.float32
        assert (raw.kept, raw.alignment) == (maps.kept, maps.alignment)
        assert_close(raw.total(), maps.tokens)


def test_every_entry_is_what_its_attention_amounts_to(
    pipeline: Any, draw: Callable[..., Arrays], plainly: Callable[..., Any]
) -> None:
    """Steps are summed before the clamp: a step's share is its resized maps wherever that sum is above 0."""
    with attribution.trace(pipeline, raw=["steps", "heads"]) as tracer:
        draw()
    with plainly(pipeline) as plain:
        draw()
    (raw,) = tracer.raw()
    clamped = 0
    for name, layer in plain._layers.items():
        if name.startswith("mid_block"):
            continue
        for head in range(layer.steps[0].shape[1]):
            label = (name.removesuffix(".processor"), head)
            large = [resized(step[1, head]) for step in layer.steps]
            positive = sum(large) > 0
            clamped += int((~positive).sum())
            for step in (0, 1):
                expected = (large[step] * positive / (2 * HEADS)).numpy()
                assert np.abs(raw.at(steps=step, heads=label) - expected).max() <= 1e-7
    assert clamped > 0
    assert raw.labels["steps"] == (0, 1)


def resized(head: torch.Tensor) -> torch.Tensor:
    side = int(head.shape[0] ** 0.5)
    maps = head.T.reshape(1, -1, side, side)
    return torch.nn.functional.interpolate(maps, size=(16, 16), mode="bicubic")[0]


def test_layers_are_sums_of_their_heads(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    with (
        attribution.trace(pipeline, ["dog"], raw=["heads"]) as heads,
        attribution.trace(pipeline, ["dog"], raw=["layers"]) as layers,
    ):
        draw()
    (apart,), (together,) = heads.raw(), layers.raw()
    for layer in together.labels["layers"]:
        own = [apart.at(heads=label) for label in apart.labels["heads"] if label[0] == layer]
        assert len(own) in (2, 4)
        assert_close(together.at(layers=layer), sum(own))


def test_heads_in_parts_are_the_same(
    pipeline: Any, draw: Callable[..., Arrays], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the probabilities of a layer are too many at once."""
    with attribution.trace(pipeline, raw=["heads"]) as whole:
        draw()
    monkeypatch.setattr("attribution.daam.attention.LARGEST_PART", 3 * 77 * 64)
    with attribution.trace(pipeline, raw=["heads"]) as parts, attribution.trace(pipeline, ["dog"]) as some:
        draw()
    assert_close(parts.heat_maps()[0].tokens, whole.heat_maps()[0].tokens)
    assert parts.raw()[0].labels == whole.raw()[0].labels
    assert_close(parts.raw()[0].values, whole.raw()[0].values)
    assert_close(some.heat_maps()[0].word("dog").values, whole.heat_maps()[0].word("dog").values)


def test_parts_cover_all_heads_once() -> None:
    zeros = torch.zeros(2, 5, 16, 8)
    attended = Attended(zeros, zeros, zeros, zeros, 1.0)
    (only,) = attended.parts(16)
    assert only == (0, attended)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("attribution.daam.attention.LARGEST_PART", 2 * 2 * 16 * 16)
        assert [(first, part.query.shape[1]) for first, part in attended.parts(16)] == [(0, 2), (2, 2), (4, 1)]


def test_steps_and_heads_that_were_chosen(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    with attribution.trace(pipeline, raw=AXES, steps=[1, 2], heads=[3], layers=["up_blocks.1", "mid"]) as tracer:
        draw(num_inference_steps=4)
    (raw,) = tracer.raw()
    assert raw.axes == ("steps", "heads")
    assert raw.labels["steps"] == (1, 2)
    assert [head for _, head in raw.labels["heads"]] == [3, 3, 3]
    assert_close(raw.total(), tracer.heat_maps()[0].tokens)


def test_memory_is_bounded(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    """One token: for each of two steps, 4 bytes for each head at 16 x 16 and 8 x 8 positions; then what comes out."""
    kept = 4 * 2 * (3 * 2 * 256 + 3 * 4 * 64)
    out = 4 * HEADS * 2 * 256
    for limit, fits in ((kept + out, True), (kept + out - 1, False), (kept - 1, False)):
        with attribution.trace(pipeline, [(0, 1)], raw=["steps", "heads"], raw_limit=limit) as tracer:
            if fits:
                draw()
                assert tracer.raw()[0].values.shape == (2, HEADS, 1, 16, 16)
            else:
                with pytest.raises(TraceError, match="raw maps take more than 0 MB: name fewer words="):
                    draw()


def test_what_was_not_asked_for(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    with pytest.raises(ValueError, match="raw= names token; its axes are steps, layers, heads"):
        attribution.trace(pipeline, raw=["token"])
    with attribution.trace(pipeline) as tracer:
        draw()
    with pytest.raises(TraceError, match="no raw maps were asked for"):
        tracer.raw()
    with attribution.trace(pipeline, raw="layers") as tracer, pytest.raises(TraceError, match="nothing was traced"):
        tracer.raw()


def test_entries_by_label() -> None:
    values = np.arange(2 * 3 * 1 * 2 * 2, dtype=np.float32).reshape(2, 3, 1, 2, 2)
    labels = {"steps": (0, 4), "layers": ("a", "b", "c")}
    raw = RawMaps(values, ("steps", "layers"), labels, None, (7,))  # type: ignore[arg-type]
    np.testing.assert_array_equal(raw.at(steps=4), values[1])
    np.testing.assert_array_equal(raw.at(layers="b"), values[:, 1])
    np.testing.assert_array_equal(raw.at(layers="c", steps=0), values[0, 2])
    assert raw.total().tolist() == [[[60 + 6 * place for place in row] for row in ((0, 1), (2, 3))]]
    with pytest.raises(ValueError, match="no layers entry 'd'; there are a, b, c"):
        raw.at(layers="d")
    with pytest.raises(ValueError, match="no axis heads in these raw maps; they have steps, layers"):
        raw.at(heads=1)
    for axes, shape in itertools.product([("steps",), ("layers", "steps")], [values.shape]):
        with pytest.raises(ValueError, match=str(shape[0])):
            RawMaps(values, axes, labels, None, (7,))  # type: ignore[arg-type]
