"""The scenes in which documented commands are run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.annotation_site.conftest import (  # noqa: F401 - fixtures
    _no_waiting_for_the_disk,
    _nothing_remembered,
    _own_media_folder,
    make_study,
)
from tests.annotation_site.recruitment.conftest import _server, fake  # noqa: F401 - fixtures
from tests.documentation.scenes import SCENES, Scene


@pytest.fixture
def scene(page, make_study, fake, settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:  # noqa: F811
    """An empty folder to be in, with what the page takes for granted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATTRIBUTION_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ATTEST_DATA", str(tmp_path))
    settings.CELERY_BROKER_URL = "memory://"
    # The test's transaction lives in the connection.
    monkeypatch.setattr("annotation_site.worker.management.commands.work.close_old_connections", lambda: None)
    settings.DATA_DIR, settings.STATIC_ROOT = tmp_path, tmp_path / "static"
    made = Scene(make_study, fake)
    for prepare in SCENES.get(page, ()):
        prepare(made)
    return made
