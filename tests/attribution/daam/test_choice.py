"""Which layers and heads a choice names."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from attribution.daam.choice import Choice
from attribution.errors import TraceError

LAYERS = {
    f"{blocks}.{number}.attn": SimpleNamespace(heads=4)
    for blocks in ("transformer_blocks", "single_transformer_blocks")
    for number in (1, 2, 10, 12)
}


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (["transformer_blocks.1"], ["1"]),
        (["transformer_blocks.1", "transformer_blocks.12"], ["1", "12"]),
        (["transformer_blocks.1."], ["1"]),
        (["transformer_blocks"], ["1", "2", "10", "12"]),
        (["transformer_blocks.10.attn"], ["10"]),
    ],
)
def test_numbers_in_names_are_whole(wanted: list[str], numbers: list[str]) -> None:
    expected = [f"transformer_blocks.{number}.attn" for number in numbers]
    assert list(Choice(layers=wanted).layers_of(LAYERS, ())) == expected


def test_a_name_that_begins_part_of_a_number_only() -> None:
    with pytest.raises(TraceError, match=r"'transformer_blocks\.0', which begins none of: transformer_blocks\.1"):
        Choice(layers=["transformer_blocks.0"]).layers_of(LAYERS, ())
