"""What importing the package loads, in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

import attribution

HEAVY = "{'torch', 'diffusers', 'transformers', 'spacy', 'django'} & set(sys.modules)"


@pytest.mark.parametrize(
    "statement",
    [
        "import attribution",
        "import attribution.maps",
        "from attribution import HeatMaps",
        "import attribution.maps.methods",
    ],
)
def test_nothing_heavy_is_loaded(statement: str) -> None:
    code = f"{statement}; import sys; print(sorted({HEAVY}))"
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_public_names_are_there() -> None:
    assert {name: getattr(attribution, name).__name__ for name in attribution.__all__} == {
        name: name for name in attribution.__all__
    }
    assert set(attribution.__all__) <= set(dir(attribution))
    with pytest.raises(AttributeError, match="no_such_name"):
        attribution.no_such_name  # noqa: B018
