"""The training code, on a run of seconds: it learns, stops, resumes, and ships a pipeline that opens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from attribution import load_pipeline
from attribution.tinyworld.model import TOKENS, new_scheduler, new_tokenizer
from attribution.tinyworld.optimiser import orthogonal
from attribution.tinyworld.pools import PHASES, phase_at
from attribution.tinyworld.replay import ReplayScheduler
from attribution.tinyworld.runs import learning_rate
from attribution.tinyworld.train import main

# One process: each would train a model of its own.
pytestmark = pytest.mark.xdist_group("training")


def run(folder: Path, *options: str) -> list[dict[str, object]]:
    """Call the command; the lines that it logged."""
    common = ["--out", str(folder), "--device", "cpu", "--batch", "4", "--parts", "2", "--pool", "1"]
    main([*common, *options])
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder after a run of a few steps, with pools of few scenes."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("attribution.tinyworld.pools._CHUNK", 8)
        patch.setattr("attribution.tinyworld.samples.SHEET", 2)
        run(folder, "--minutes", "0.05", "--stage", "vae")
        run(folder, "--minutes", "0.02", "--stage", "unet")
        yield folder


def test_a_run_leaves_checkpoint_sheets_and_log(trained):
    names = {path.name for path in trained.iterdir()}
    assert {"checkpoint.pt", "samples.png", "vae.png", "vae", "log.jsonl"} <= names
    assert not any(name.endswith(".partial") for name in names)
    assert torch.load(trained / "checkpoint.pt", weights_only=True)["samples"] > 0


def test_a_run_resumes_where_it_was(trained):
    before = torch.load(trained / "checkpoint.pt", weights_only=True)["samples"]
    lines = run(trained, "--minutes", "0.02", "--stage", "unet", "--resume")
    assert lines[-1] == {"stage": "unet", "resumed_at": before}
    assert torch.load(trained / "checkpoint.pt", weights_only=True)["samples"] == before  # its minutes were used up


def test_what_it_ships_opens_and_draws(trained):
    run(trained, "--stage", "ship")
    facts = json.loads((trained / "pipeline" / "attest.json").read_text())
    assert facts["trained"] is True
    assert facts["samples"] > 0
    pipeline = load_pipeline(trained / "pipeline", dtype="float32", device="cpu")
    image = pipeline("a red star", num_inference_steps=2, generator=torch.Generator().manual_seed(0)).images[0]
    assert image.size == (64, 64)


def test_orthogonal_brings_every_singular_value_near_one():
    matrix = torch.randn(40, 100, generator=torch.Generator().manual_seed(0))
    for case in (matrix, matrix.T, matrix * 1e-3):
        values = torch.linalg.svdvals(orthogonal(case).float())
        assert orthogonal(case).shape == case.shape
        assert values.min() > 0.5
        assert values.max() < 1.4


def test_learning_rate_warms_up_and_decays_to_two_per_cent():
    assert learning_rate(1.0, 0, 0.0) == pytest.approx(0.01)
    assert learning_rate(1.0, 49, 0.0) == pytest.approx(0.5)
    assert learning_rate(1.0, 500, 0.5) == pytest.approx(0.51)
    assert learning_rate(1.0, 500, 1.0) == pytest.approx(0.02)
    assert learning_rate(1.0, 500, 1.3) == pytest.approx(0.02)


def test_phases_cover_the_run_and_only_get_harder():
    assert phase_at(0.0) == PHASES[0]
    assert phase_at(0.999) == phase_at(2.0) == PHASES[-1]
    assert [p.jitter for p in PHASES] == sorted(p.jitter for p in PHASES)
    assert phase_at(0.1, "loose") == PHASES[-1]


@pytest.mark.parametrize("text", ["", "Ein Café über 中 \x00 😀", "isn't it?", "<|endoftext|> " + "zebra " * 60])
def test_any_text_goes_into_the_tokenizer(text):
    tokenizer = new_tokenizer(200)
    ids = tokenizer(text, padding="max_length", truncation=True).input_ids
    assert len(ids) == TOKENS
    assert max(ids) < len(tokenizer)


def test_replay_ends_on_the_true_latents_and_starts_from_noise():
    replay = ReplayScheduler.from_config(new_scheduler().config)
    latents, noise = torch.zeros(1, 8, 2, 2), torch.ones(1, 8, 2, 2)
    replay.follow(latents, noise)
    replay.set_timesteps(4)
    states = [replay.step(noise, t, noise).prev_sample for t in replay.timesteps]
    assert torch.equal(states[-1], latents)
    means = [float(state.mean()) for state in states]
    assert means == sorted(means, reverse=True)  # less noise at every step
    signal = float(replay.alphas_cumprod[int(replay.timesteps[1])]) ** 0.5
    assert means[0] == pytest.approx(np.sqrt(1 - signal**2), rel=1e-5)
