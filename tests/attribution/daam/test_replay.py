"""Replay: another prompt's values under a recorded prompt's attention, against attention written out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import AttnProcessor2_0

import attribution
from attribution.errors import TraceError

Arrays = np.ndarray[Any, Any]
DOG, CAT = "a rusty dog", "a green cat"


class PlainReplay(AttnProcessor2_0):  # type: ignore[misc]
    """Attention written out as softmax(q k / sqrt d) v, whose probabilities are kept, or taken from another call.

    ``first`` is the first of the rows whose probabilities are taken: the conditional ones, or all.
    """

    def __init__(self, first: int) -> None:
        super().__init__()
        self.first = first
        self.kept: list[torch.Tensor] = []
        self.given: list[torch.Tensor] = []

    def __call__(self, attn: Any, hidden_states: Any, encoder_hidden_states: Any, **_: Any) -> torch.Tensor:
        query, key, value = (
            projected.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for projected in (
                attn.to_q(hidden_states),
                attn.to_k(encoder_hidden_states),
                attn.to_v(encoder_hidden_states),
            )
        )
        shares = torch.softmax(query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5, dim=-1)
        if self.given:
            shares = torch.cat([shares[: self.first], self.given.pop(0)[self.first :]])
        else:
            self.kept.append(shares)
        return attn.to_out[1](attn.to_out[0]((shares @ value).transpose(1, 2).flatten(2)))


def replayed_plainly(pipeline: Any, draw: Callable[..., Arrays], first: int, **options: Any) -> Arrays:
    """What the second prompt draws under the first one's probabilities."""
    before = pipeline.unet.attn_processors
    layers = {name: PlainReplay(first) for name in before if ".attn2." in name}
    pipeline.unet.set_attn_processor({**before, **layers})
    draw(DOG, **options)
    for layer in layers.values():
        layer.given = list(layer.kept)
    drawn = draw(CAT, **options)
    pipeline.unet.set_attn_processor(before)
    return drawn


@pytest.fixture(params=["memory", "folder"])
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> attribution.Recording:
    return attribution.Recording(tmp_path / "scratch" if request.param == "folder" else None)


def test_the_recorded_attention_with_the_new_values(
    pipeline: Any, draw: Callable[..., Arrays], recording: attribution.Recording, tmp_path: Path
) -> None:
    processors = pipeline.unet.attn_processors
    options = {"num_inference_steps": 3, "height": 32, "width": 48}
    plain = draw(DOG, **options)
    with attribution.trace(pipeline, record=recording) as recorded:
        assert np.array_equal(draw(DOG, **options), plain)
    with attribution.trace(pipeline, replay=recording) as replayed:
        cat = draw(CAT, **options)
        assert np.array_equal(draw(DOG, **options), plain)  # onto itself: not one bit is different
    assert pipeline.unet.attn_processors == processors
    assert np.abs(cat - draw(CAT, **options)).max() > 0.01
    assert np.abs(cat - replayed_plainly(pipeline, draw, 1, **options)).max() <= 1e-5
    of_cat, of_dog = replayed.heat_maps()
    assert of_cat.prompt == CAT
    assert np.array_equal(of_cat.tokens, recorded.heat_maps()[0].tokens)
    assert np.array_equal(of_dog.tokens, recorded.heat_maps()[0].tokens)
    assert recording.nbytes > 0
    recording.close()
    assert recording.nbytes == 0
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_unconditional_half_too(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    recording = attribution.Recording(unconditional=True)
    with attribution.trace(pipeline, record=recording):
        draw(DOG)
    with attribution.trace(pipeline, replay=recording):
        cat = draw(CAT)
    assert np.abs(cat - replayed_plainly(pipeline, draw, 0)).max() <= 1e-5
    assert np.abs(cat - replayed_plainly(pipeline, draw, 1)).max() > 1e-4


def test_stable_diffusion_xl(xl: Any, draw_xl: Callable[..., Arrays], tmp_path: Path) -> None:
    plain = draw_xl(DOG)
    with attribution.Recording(tmp_path) as recording:
        with attribution.trace(xl, record=recording):
            draw_xl(DOG)
        with attribution.trace(xl, replay=recording):
            assert np.array_equal(draw_xl(DOG), plain)
            cat = draw_xl(CAT)
    assert np.abs(cat - replayed_plainly(xl, draw_xl, 1)).max() <= 1e-5
    assert list(tmp_path.iterdir()) == []


def test_one_recording_for_several_prompts_at_once(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    recording = attribution.Recording()
    with attribution.trace(pipeline, record=recording):
        draw(DOG)
    with attribution.trace(pipeline, replay=recording):
        together = draw([CAT, DOG], seeds=(0, 0))
        alone = [draw(prompt)[0] for prompt in (CAT, DOG)]
    assert np.abs(together - np.stack(alone)).max() <= 1e-5


def test_without_guidance_and_in_half_precision(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    options = {"guidance_scale": 1.0, "output_type": "pt", "num_inference_steps": 1}
    pipeline.to(torch.bfloat16)
    try:
        plain = draw(DOG, **options)
        recording = attribution.Recording()
        with attribution.trace(pipeline, record=recording):
            draw(DOG, **options)
        with attribution.trace(pipeline, replay=recording):
            assert torch.equal(torch.as_tensor(draw(DOG, **options)), torch.as_tensor(plain))
    finally:
        pipeline.to(torch.float32)


def test_a_folder_holds_one_file_a_step_and_memory_one_step(
    pipeline: Any, draw: Callable[..., Arrays], tmp_path: Path
) -> None:
    """Queries are 256 x 16 floats in three layers, 64 x 32 in three, 16 x 32 in the middle one; keys 77 x 16 or 32."""
    recording = attribution.Recording(tmp_path)
    with attribution.trace(pipeline, record=recording):
        draw(DOG, num_inference_steps=4)
    files = sorted(tmp_path.rglob("*.safetensors"))
    assert len(files) == 4
    queries = 256 * 16 * 3 + 64 * 32 * 3 + 16 * 32
    keys = 77 * (16 * 3 + 32 * 4)
    assert recording.nbytes == 4 * 4 * (queries + keys)
    assert sum(path.stat().st_size for path in files) == pytest.approx(recording.nbytes, rel=0.05)
    del recording
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("prompt", "options", "message"),
    [
        (CAT, {"height": 48}, r"latents of 24 x 16, recorded were 16 x 16: give both calls the same height"),
        (CAT, {"num_inference_steps": 3}, r"timestep .*, recorded were 2 steps .* same num_inference_steps"),
        ([CAT] * 3, {"seeds": (0, 1, 2)}, r"draws 3 images, recorded were 2"),
    ],
)
def test_calls_that_do_not_fit_are_refused(
    pipeline: Any, draw: Callable[..., Arrays], prompt: Any, options: dict[str, Any], message: str
) -> None:
    processors = pipeline.unet.attn_processors
    recording = attribution.Recording()
    with attribution.trace(pipeline, record=recording):
        draw([DOG, DOG], seeds=(0, 1))
    with pytest.raises(TraceError, match=message), attribution.trace(pipeline, replay=recording):
        draw(prompt if isinstance(prompt, list) else [prompt] * 2, **{"seeds": (0, 1), **options})
    assert pipeline.unet.attn_processors == processors


def test_another_number_of_tokens_is_refused(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    recording = attribution.Recording()
    with attribution.trace(pipeline, record=recording):
        draw(DOG)
    longer = torch.zeros(1, 154, 16)
    with pytest.raises(TraceError, match=r"keys of layer .*154.*77.*number of tokens"):  # noqa: SIM117
        with attribution.trace(pipeline, replay=recording):
            draw(None, prompt_embeds=longer, negative_prompt_embeds=longer)


def test_what_cannot_be_replayed_or_recorded(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    recording = attribution.Recording()
    with pytest.raises(TraceError, match="nothing is recorded"), attribution.trace(pipeline, replay=recording):
        draw(CAT)
    with pytest.raises(ValueError, match="either records or replays"):
        attribution.trace(pipeline, record=recording, replay=recording)
    with attribution.trace(pipeline, record=recording):
        draw(DOG)
        with pytest.raises(TraceError, match="holds a call already"):
            draw(DOG)


def test_a_call_that_breaks_off_leaves_nothing(pipeline: Any, draw: Callable[..., Arrays], tmp_path: Path) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    processors = pipeline.unet.attn_processors
    recording = attribution.Recording(tmp_path)
    with pytest.raises(KeyboardInterrupt), attribution.trace(pipeline, record=recording):
        draw(DOG, callback_on_step_end=stop)
    assert pipeline.unet.attn_processors == processors
    assert list(tmp_path.iterdir()) == []
    with attribution.trace(pipeline, record=recording):
        draw(DOG)
    with attribution.trace(pipeline, replay=recording):
        assert np.array_equal(draw(DOG), draw(DOG))


def test_a_shorter_call_is_refused_at_its_end(pipeline: Any, draw: Callable[..., Arrays]) -> None:
    """As if the recorded call had had one step more at its end, after timesteps that are the same."""
    recording = attribution.Recording()
    with attribution.trace(pipeline, record=recording):
        draw(DOG)
    recording.timesteps.append(0.0)
    with pytest.raises(TraceError, match="this call had 2 steps, recorded were 3"):  # noqa: SIM117
        with attribution.trace(pipeline, replay=recording):
            draw(DOG)
