"""docs/recruiting.md names settings and outcomes: all of them exist."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from annotation_site.raters.models import Outcome

PAGE = (Path(settings.BASE_DIR) / "docs" / "recruiting.md").read_text(encoding="utf-8")


def test_settings_and_outcomes_of_the_page_exist():
    assert all(hasattr(settings, name) for name in re.findall(r"`(PROLIFIC_[A-Z_]+)`", PAGE))
    words = " ".join(PAGE.split())
    assert all(str(outcome.label) in words for outcome in Outcome)
