"""docs/recruiting.md names commands, settings and outcomes: all of them exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from django.conf import settings
from django.core.management import load_command_class

from annotation_site.raters.models import Outcome

PAGE = (Path(settings.BASE_DIR) / "docs" / "recruiting.md").read_text(encoding="utf-8")


def test_every_command_of_the_page_is_understood():
    lines = re.findall(r"^python manage\.py (\w+) ([^>\n]*)", PAGE, re.MULTILINE)
    assert {name for name, _ in lines} == {"prolific_study", "invite"}
    for name, arguments in lines:
        command = load_command_class("annotation_site.recruitment", name)
        assert command.create_parser("manage.py", name).parse_args(shlex.split(arguments)).study == "STUDY"


def test_settings_and_outcomes_of_the_page_exist():
    assert all(hasattr(settings, name) for name in re.findall(r"`(PROLIFIC_[A-Z_]+)`", PAGE))
    words = " ".join(PAGE.split())
    assert all(str(outcome.label) in words for outcome in Outcome)
