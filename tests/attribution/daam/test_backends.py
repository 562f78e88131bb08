"""The operators beneath attention: taken where they are certain, else the function itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from attribution.daam import backends


def inputs(size: int = 16, queries: int = 50, keys: int = 77, **options: Any) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return tuple(  # type: ignore[return-value]
        torch.randn(2, length, 4, size, generator=generator).transpose(1, 2).to(**options)
        for length in (queries, keys, keys)
    )


@pytest.fixture(autouse=True)
def unproved() -> Iterator[None]:
    backends._proves_right.cache_clear()
    yield
    backends._proves_right.cache_clear()


def logsumexp(query: Tensor, key: Tensor) -> Tensor:
    return (query.float() @ key.float().transpose(2, 3) / query.shape[-1] ** 0.5).logsumexp(dim=-1)


@pytest.mark.parametrize(("kernel", "given"), [(SDPBackend.FLASH_ATTENTION, True), (SDPBackend.MATH, False)])
def test_on_the_cpu(kernel: SDPBackend, given: bool) -> None:
    query, key, value = inputs()
    with sdpa_kernel(kernel):
        output, lse = backends.attend(query, key, value, None, {})
        assert torch.equal(output, functional.scaled_dot_product_attention(query, key, value))
    assert (lse is not None) == given
    if lse is not None:
        torch.testing.assert_close(lse, logsumexp(query, key))


@pytest.mark.parametrize("operator", [backends._flash, backends._efficient])
def test_cuda_operators_take_what_they_are_given(operator: Any) -> None:
    """Their signatures and shapes, by torch's own description of them; no device is needed for that."""
    query, key, value = inputs(device="meta", dtype=torch.bfloat16)
    output, lse = operator(query, key, value, 0.1)
    assert output.shape == query.shape
    assert (lse.shape, lse.dtype) == (query.shape[:3], torch.float32)


def test_an_operator_that_gives_something_else_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the CPU's operator stands in for one of CUDA's, and is then made to stray."""
    query, _, _ = inputs()
    kind = (query.device, query.dtype, 16)
    right = backends._flash_on_cpu

    def other_output(*args: Any) -> Any:
        output, lse = right(*args)
        return output * 1.001, lse

    def other_sums(*args: Any) -> Any:
        output, lse = right(*args)
        return output, lse * 1.1

    for operator, proved in ((right, True), (other_output, False), (other_sums, False)):
        monkeypatch.setattr(backends, "_ON_CUDA", {SDPBackend.FLASH_ATTENTION.value: operator})
        assert backends._proves_right(operator, *kind) is proved
    monkeypatch.setattr(backends, "_ON_CUDA", {SDPBackend.EFFICIENT_ATTENTION.value: right})
    backends._proves_right.cache_clear()
    assert not backends._proves_right(right, *kind)


def test_an_operator_that_cannot_run_is_not_taken() -> None:
    """CUDA's, on the CPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backends, "_ON_CUDA", {SDPBackend.FLASH_ATTENTION.value: backends._flash})
        assert not backends._proves_right(backends._flash, torch.device("cpu"), torch.float32, 16)


def test_proving_leaves_random_numbers_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backends, "_ON_CUDA", {SDPBackend.FLASH_ATTENTION.value: backends._flash_on_cpu})
        assert backends._proves_right(backends._flash_on_cpu, torch.device("cpu"), torch.float32, 16)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    "kernel", [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.CUDNN_ATTENTION, SDPBackend.MATH]
)
def test_on_cuda(kernel: SDPBackend) -> None:
    """The same output bit for bit, and the log-sum-exp where it is given: else the caller takes a softmax."""
    for dtype, size in product((torch.float32, torch.float16, torch.bfloat16), (40, 64, 80, 128, 160)):
        query, key, value = inputs(size, 300, 77, device="cuda", dtype=dtype)
        with sdpa_kernel([kernel, SDPBackend.MATH]):
            plain = functional.scaled_dot_product_attention(query, key, value)
            output, lse = backends.attend(query, key, value, None, {})
            chosen = torch._fused_sdp_choice(query, key, value)
        assert torch.equal(output, plain)
        assert (lse is not None) == (chosen in backends._ON_CUDA)
        if lse is not None:
            torch.testing.assert_close(lse, logsumexp(query, key), rtol=1e-2, atol=1e-2)
