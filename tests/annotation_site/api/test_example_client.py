"""The client of docs/api.md, run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from annotation_site.rating.models import Judgement

PAGE = Path(__file__).resolve().parents[3] / "docs" / "api.md"


@pytest.mark.django_db(transaction=True)
def test_it_rates_a_study_to_the_end(make_study, live_server, tmp_path):
    study = make_study(items=2)
    client = tmp_path / "client.py"
    client.write_text(re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[1])
    done = subprocess.run(
        [sys.executable, client, live_server.url, study.slug],
        input="yes\n5\nimage_too_poor\n", capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert f"Your completion code: {study.completion_code}" in done.stdout
    given = set(Judgement.objects.counted().values_list("rating", "opt_out"))
    assert given == {(5, ""), (None, "image_too_poor")}
