"""The preregistrations of a study in its export: each as it was hashed and in words, and what deviates."""

from __future__ import annotations

import json
from pathlib import Path

from annotation_site.reports.preregistration.bundle import texts
from annotation_site.reports.preregistration.summary import standing
from annotation_site.studies.models import Registration, Study

FOLDER = "preregistration"
DEVIATIONS = f"{FOLDER}/deviations.json"


def write_registered(study: Study, folder: Path) -> None:
    """``preregistration/`` with every version and ``deviations.json``; nothing where nothing is registered."""
    found = standing(study)
    if found is None:
        return
    (folder / FOLDER).mkdir()
    for registration in Registration.objects.of(study):
        for name, text in texts(registration).items():
            (folder / FOLDER / name).write_text(text, encoding="utf-8", newline="")
    content = json.dumps(found.as_plain(), indent=2, ensure_ascii=False) + "\n"
    (folder / DEVIATIONS).write_text(content, encoding="utf-8", newline="")
