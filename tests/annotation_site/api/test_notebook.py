"""docs/notebooks/captions-to-figure.ipynb : every cell runs, against a real server with a worker."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import matplotlib as mpl
import pytest
from django.db import connection

from annotation_site.rating.models import Judgement
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Study
from annotation_site.worker.generation import precompute
from tests.annotation_site.api.researchers import Research, researcher

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "notebooks"
NOTEBOOK = json.loads((FOLDER / "captions-to-figure.ipynb").read_text(encoding="utf-8"))


@pytest.fixture
def _a_worker(transactional_db):
    """Makes images as they are queued, until the test is over."""
    over = threading.Event()

    def work() -> None:
        try:
            while not over.wait(0.1):
                precompute(Generation.objects.all(), batch_size=6)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    yield
    over.set()
    worker.join()


def test_it_is_a_notebook_without_outputs():
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    cells = NOTEBOOK["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert [cell["outputs"] for cell in cells if cell["cell_type"] == "code" and cell["outputs"]] == []


@pytest.mark.any_database
@pytest.mark.usefixtures("_a_worker")
def test_every_cell_runs(live_server, tmp_path, monkeypatch):
    mpl.use("Agg")
    monkeypatch.chdir(FOLDER)
    monkeypatch.syspath_prepend("../client")
    monkeypatch.setenv("ATTEST_SITE", live_server.url)
    monkeypatch.setenv("ATTEST_TOKEN", Research(researcher()).token)
    monkeypatch.setenv("ATTEST_STEPS", "4")
    monkeypatch.setenv("OUT", str(tmp_path))
    names: dict[str, object] = {}
    for cell in NOTEBOOK["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)  # noqa: S102 - it is ours
    names["attest"].close()
    study = Study.objects.get()
    assert study.items.count() == 6
    assert Judgement.objects.count() == 18
    assert Judgement.objects.of_people().count() == 0
    assert "<svg" in (tmp_path / "captions-to-figure.svg").read_text()
    assert {row["tag"] for row in names["rows"]} == set(study.items.values_list("word__tag", flat=True))
