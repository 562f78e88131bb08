"""The benchmarks of tracing still run; what they measure is theirs to say."""

from __future__ import annotations

from importlib import import_module

import pytest
from diffusers.utils import logging

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def beside_the_benchmarks(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """Benchmarks import one another by name; diffusers speaks again afterwards."""
    monkeypatch.syspath_prepend(request.path.parent)
    level = logging.get_verbosity()
    yield
    logging.set_verbosity(level)


def test_time_and_batches_on_a_cpu(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    bench = import_module("bench_daam")
    monkeypatch.setattr(bench, "SD2_QUARTER", {**import_module("bench_daam_gpu").TINY_SD2})
    for part in ("time", "batch"):
        bench.main(["--latents", "8", "--rounds", "1", "--only", part])
    said = capsys.readouterr().out
    assert "ratio, 30 steps" in said
    assert "three words" in said
    assert "four images in a batch with all maps" in said


def test_both_models_on_a_gpu_tried_out_on_a_cpu(capsys: pytest.CaptureFixture[str]) -> None:
    bench = import_module("bench_daam_gpu")
    bench.main(["--tiny", "--device", "cpu", "--batches", "1", "3", "--steps", "1", "--rounds", "1"])
    said = capsys.readouterr().out
    assert said.count("images/s") == 2 * 2 * 3
    assert said.count("on its place in the batch") == 4


def test_without_a_gpu_nothing_is_measured(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    bench = import_module("bench_daam_gpu")
    monkeypatch.setattr(bench.torch.cuda, "is_available", lambda: False)
    bench.main([])
    assert "no GPU here" in capsys.readouterr().out
