"""From an answer to the next picture and map on the screen, as Chromium's own clock measures it.

``python tests/benchmarks/bench_screen.py [--items 30]``; needs a Chromium. Images of 512 x 512 with maps of 64 x 64, a
server on this machine (one process, SQLite), a rater with the keyboard. With what comes next fetched and drawn
beforehand, and without; the aim is 100 ms with it. Painted is the frame after picture and map were in place.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

AIM = 100
SIDE, CELLS = 512, 64
ROOT = Path(__file__).resolve().parents[2]
LAST = """() => {
  const [painted] = performance.getEntriesByName("attest.painted").slice(-1);
  const [answered] = performance.getEntriesByName("attest.answered").slice(-1);
  return painted.startTime - answered.startTime;
}"""


def make_site(items: int) -> None:
    """An open study of noise, as heavy as pictures get, with smooth maps."""
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from django.core.management import call_command

    from annotation_site.rating import assignment
    from annotation_site.stimuli.models import Generation, Recipe
    from annotation_site.studies.building import Stimulus, build_study
    from attribution import records

    call_command("migrate", verbosity=0)
    words = (records.Word("dog", 0, 3, "NOUN", "dog", 0, "root"),)
    stimuli = [Stimulus(records.Prompt("dog", words, source_id=str(number)), 0) for number in range(items)]
    recipe = Recipe.objects.ensure(records.Recipe(model="bench", height=SIDE, width=SIDE))
    study = build_study(
        slug="bench", title="Bench", kind="likert", stimuli=stimuli, recipe=recipe, seed=0, source="bench", cap_share=1
    )
    rng = np.random.default_rng(0)
    for generation in Generation.objects.all():
        give_files(generation, rng)
    assignment.open_study(study)


def give_files(generation: object, rng: np.random.Generator) -> None:
    from django.utils import timezone

    from annotation_site.stimuli import files
    from attribution.maps import Alignment, HeatMaps, Token

    noise = rng.integers(0, 256, (SIDE // 4, SIDE // 4, 3), dtype=np.uint8).repeat(4, axis=0).repeat(4, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    y, x = np.mgrid[0:CELLS, 0:CELLS]
    row, column = rng.uniform(0, CELLS, 2)
    blob = np.exp(-((y - row) ** 2 + (x - column) ** 2) / 128).astype(np.float32)
    maps = HeatMaps(blob[np.newaxis], Alignment("dog", (Token("dog", 0, 3),)), (0,), steps=1, layers=1)
    contents = (buffer.getvalue(), *maps.to_bytes())
    for name, content in zip(files.names(generation.identity), contents, strict=True):
        files.write(name, content)
    generation.image, generation.maps, _ = files.names(generation.identity)
    generation.image_sha256, generation.maps_sha256 = files.sha256(contents[0]), files.sha256(contents[1])
    generation.state, generation.done_at, generation.seconds = "done", timezone.now(), 1.0
    generation.save()


@contextmanager
def server() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(ROOT), "--bind", f"127.0.0.1:{port}", "--threads", "4",
               "--log-level", "error", "annotation_site.wsgi"]  # fmt: skip
    process = subprocess.Popen(command)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


def join(page: Page, address: str) -> None:
    for _ in range(100):
        try:
            page.goto(f"{address}/studies/bench/")
            break
        except Exception:
            page.wait_for_timeout(100)
    page.locator("#consent").check()
    page.get_by_role("button", name="Start").click()
    page.locator("#answer-form[data-painted]").wait_for()


def milliseconds(page: Page, address: str, items: int, *, fetched: bool) -> list[float]:
    """From the key that submits to the next stimulus painted, for every item but the first."""
    if not fetched:
        page.route("**/ahead/", lambda route: route.fulfill(json={}))
    join(page, address)
    took = []
    for number in range(1, items):
        page.locator(f"progress[value='{number - 1}']").wait_for()
        while page.evaluate("performance.getEntriesByName('attest.prefetched').length") < number:
            page.wait_for_timeout(5)
        page.keyboard.press("4")
        page.keyboard.press("Enter")
        page.locator(f"progress[value='{number}']").wait_for()
        page.locator("#answer-form[data-painted]").wait_for()
        took.append(page.evaluate(LAST))
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=30, help="items that each of the two raters judges")
    items = parser.parse_args().items
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        raise SystemExit("needs a Chromium on the PATH: on Debian, apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "ATTEST_DATA": folder,
            "DJANGO_SETTINGS_MODULE": "annotation_site.settings",
            "LOG_LEVEL": "ERROR",
        }
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/bench.sqlite3"
        make_site(items)
        # Playwright keeps an event loop in its thread, so nothing of Django's database is used from here on.
        with server() as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
            for fetched in (True, False):
                took = milliseconds(browser.new_page(), address, items, fetched=fetched)
                how = "fetched and drawn before" if fetched else "fetched after the answer"
                worst = sorted(took)[int(0.95 * (len(took) - 1))]
                aim = f" (aim {AIM})" if fetched else ""
                print(f"next stimulus {how}: median {median(took):.0f} ms{aim}, p95 {worst:.0f} ms, {len(took)} items")  # noqa: T201
            browser.close()


if __name__ == "__main__":
    main()
