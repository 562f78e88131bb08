"""The probe: outputs untouched, and probabilities equal to a softmax written out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from attribution.daam.attention import Attended, AttentionProbe

ROWS, HEADS, POSITIONS, TOKENS, SIZE = 3, 2, 12, 7, 8


def inputs(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value as diffusers lays them out: heads inside the last dimension, then transposed."""
    generator = torch.Generator().manual_seed(0)
    return tuple(  # type: ignore[return-value]
        (2 * torch.randn(ROWS, length, HEADS, SIZE, generator=generator)).transpose(1, 2).to(dtype)
        for length in (POSITIONS, TOKENS, TOKENS)
    )


def probed(*args: Tensor, **options: Any) -> tuple[Tensor, Attended]:
    seen: list[Attended] = []
    with AttentionProbe(seen.append):
        output = functional.scaled_dot_product_attention(*args, **options)
    (attended,) = seen
    return output, attended


MASKS = {
    "none": None,
    "float": torch.linspace(-3, 0, TOKENS).expand(ROWS, 1, 1, TOKENS),
    "bool": (torch.arange(TOKENS) < 5).expand(ROWS, HEADS, POSITIONS, TOKENS),
    "one for all rows": torch.linspace(-3, 0, TOKENS)[None, None, None],
    "two-dimensional": torch.linspace(-3, 0, TOKENS).expand(POSITIONS, TOKENS),
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("scale", [None, 0.1])
def test_output_unchanged_and_probabilities_right(mask: Tensor | None, scale: float | None) -> None:
    query, key, value = inputs()
    plain = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)
    output, attended = probed(query, key, value, attn_mask=mask, scale=scale)
    assert torch.equal(output, plain)
    probabilities = attended.probabilities().transpose(2, 3)
    torch.testing.assert_close(probabilities @ value, plain, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(probabilities.sum(dim=-1), torch.ones(ROWS, HEADS, POSITIONS), rtol=0, atol=3e-6)


def test_the_log_sum_exp_comes_with_the_output() -> None:
    query, key, value = inputs()
    attended = probed(query, key, value)[1]
    assert attended.lse is not None
    expected = (query @ key.transpose(2, 3) / SIZE**0.5).logsumexp(dim=-1)
    torch.testing.assert_close(attended.lse, expected)


@pytest.mark.parametrize("mask", ["none", "float"])
def test_chosen_tokens_of_chosen_rows(mask: str) -> None:
    attended = probed(*inputs(), attn_mask=MASKS[mask])[1]
    chosen = torch.tensor([[6, 0], [3, 3]])
    everything = attended.probabilities()
    some = attended.rows(slice(1, 3)).probabilities(chosen)
    assert some.shape == (2, HEADS, 2, POSITIONS)
    for row, positions in enumerate(chosen):
        torch.testing.assert_close(some[row], everything[row + 1][:, positions])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_float32(dtype: torch.dtype) -> None:
    query, key, value = inputs(dtype)
    output, attended = probed(query, key, value)
    assert torch.equal(output, functional.scaled_dot_product_attention(query, key, value))
    probabilities = attended.probabilities()
    assert probabilities.dtype == torch.float32
    expected = (query.float() @ key.float().transpose(2, 3) / SIZE**0.5).softmax(dim=-1).transpose(2, 3)
    torch.testing.assert_close(probabilities, expected, rtol=0.02, atol=1e-3)


def test_other_functions_pass_through() -> None:
    with AttentionProbe(lambda _: pytest.fail("no attention here")):
        assert torch.equal(torch.ones(2).add(1), torch.full((2,), 2.0))


def test_causal_attention_is_left_alone() -> None:
    query, _, _ = inputs()
    plain = functional.scaled_dot_product_attention(query, query, query, is_causal=True)
    output, attended = probed(query, query, query, is_causal=True)
    assert torch.equal(output, plain)
    assert attended.lse is None
