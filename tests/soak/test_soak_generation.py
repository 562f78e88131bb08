"""Workers killed after each of their first files in turn: whatever is left, the next one makes it whole."""

from __future__ import annotations

import signal
import sys

import pytest

from annotation_site.stimuli.models import Generation
from tests.annotation_site import processes
from tests.annotation_site.worker.test_generation_processes import (
    DYING,
    PATIENCE,
    assert_files_match_rows,
    states,
    study_of,
)

pytestmark = pytest.mark.django_db(transaction=True)
IMAGES, DEATHS = 60, range(1, 8)


def test_seven_workers_die_at_other_places_and_three_make_the_rest(tmp_path):
    study_of(IMAGES)
    for number in DEATHS:
        # None of an image's deaths is its third: each worker begins where the last one died.
        Generation.objects.update(deaths=0)
        worker = processes.start(sys.executable, DYING, number, data=tmp_path)
        assert worker.wait(PATIENCE) == -signal.SIGKILL, worker.said()
        assert_files_match_rows(tmp_path / "media")
    made = sum((number - 1) // 3 for number in DEATHS)
    assert states()["done"] == made
    Generation.objects.update(deaths=0)
    command = (sys.executable, "manage.py", "precompute", "study", "--batch-size", "4")
    others = [processes.start(*command, data=tmp_path) for _ in range(3)]
    for process in others:
        output = process.said(10 * PATIENCE)
        assert process.returncode == 0, output
    assert states() == {"done": IMAGES}
    assert_files_match_rows(tmp_path / "media")
