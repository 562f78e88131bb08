"""What may not be imported where, tried in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys

import pytest

WEB = (
    "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'annotation_site.settings'; django.setup(); "
    "from django.urls import get_resolver; from django.contrib import admin; get_resolver().url_patterns; "
    "import annotation_site.wsgi; "
)
# As `celery worker` does: the service `tasks` runs where none of the four is installed.
TASKS = (
    "import sys; sys.modules.update(dict.fromkeys(('torch', 'diffusers', 'transformers', 'spacy'))); "
    "from annotation_site.celery import app; app.loader.import_default_modules(); app.finalize(); "
    "assert 'annotation_site.worker.tasks.sweep' in app.tasks; "
    "[sys.modules.pop(name) for name, module in list(sys.modules.items()) if module is None]; "
)
LIBRARY = "import sys, attribution, attribution.maps, attribution.analysis, attribution.records, attribution.presets; "
REPORT = "print(sorted(set({modules!r}) & set(sys.modules)))"


@pytest.mark.parametrize(
    ("program", "modules"),
    [
        (WEB, ["torch", "diffusers", "transformers", "spacy"]),
        (TASKS, ["torch", "diffusers", "transformers", "spacy"]),
        (LIBRARY, ["torch", "diffusers", "transformers", "spacy", "django"]),
    ],
    ids=["the web process", "the site's tasks", "the library"],
)
def test_a_fresh_interpreter_loads_nothing_heavy(program, modules):
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:attribution", "-c", program + REPORT.format(modules=modules)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
