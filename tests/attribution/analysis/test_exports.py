"""The statistics that the package offers: all there, documented, and explained on one page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from attribution import analysis

PAGE = Path(__file__).parents[3] / "docs" / "statistics.md"


def test_every_name_is_there_and_in_order():
    assert analysis.__all__ == sorted(analysis.__all__)
    assert len(set(analysis.__all__)) == len(analysis.__all__)


@pytest.mark.parametrize("name", analysis.__all__)
def test_every_name_says_what_it_is(name):
    assert (getattr(analysis, name).__doc__ or "").strip()


def test_the_page_explains_every_function():
    page = PAGE.read_text(encoding="utf-8")
    functions = [name for name in analysis.__all__ if name.islower()]
    assert [name for name in functions if f"`{name}" not in page and f"{name}(" not in page] == []


def test_numpy_is_all_it_needs():
    heavy = "scipy", "pandas", "statsmodels", "krippendorff", "crowdkit", "torch", "spacy", "django"
    code = f"import sys, attribution.analysis; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
