"""Fixtures for the whole suite."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
# How long an example takes says how busy the machine is.
patient = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("suite", **patient)
hypothesis.settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """What has been imported is there to stay: the garbage collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real captions, treebanks and vocabularies; not part of a user's checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the data folder {folder}, which only the developers' checkout has")
    return folder


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A database of its own for each test process of each checkout; for SQLite a file, which threads can share."""
    database = settings.DATABASES["default"]
    process = os.environ.get("PYTEST_XDIST_WORKER", "main")
    if database["ENGINE"].endswith("sqlite3"):
        name = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
    else:
        name = f"test_attest_{ROOT.name}_{process}"
    database.setdefault("TEST", {})["NAME"] = name
