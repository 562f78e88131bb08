"""Takes the README's pictures of the site anew: ``python docs/images/make_screenshots.py``.

Two small studies of the shipped world are made in a temporary folder, over the same images; simulated raters answer the
one, and the other is shown to a rater. Needs a Chromium on the PATH; takes some minutes, nearly all of it for drawing.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
ANSWERED, RATED = "tiny-world", "tiny-world-again"
TITLE = "Do the tiny world's maps fit its words?"
WIDTH = 1280
SIZE: Any = {"width": WIDTH, "height": 800}
THINGS = {"star", "moon", "sun", "house", "heart"}


def manage(*words: str) -> str:
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


def make_studies() -> None:
    manage("migrate", "--verbosity", "0")
    for slug, seats in ((ANSWERED, "3"), (RATED, "1")):
        drawn = ("--captions", "tinyworld", "--per-tag", "8", "--tags", "6", "--seed", "4")
        manage("sample_pairs", "--study", slug, "--title", TITLE, "--seats", seats, "--cap-share", "0.9", *drawn)
        manage("precompute", slug)
        manage("open_study", slug)
    manage("simulate_raters", ANSWERED, "--raters", "6")


@contextmanager
def served() -> Iterator[str]:
    """The site's address, while it runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "annotation_site.wsgi", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen(command, cwd=ROOT)
    try:
        end = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)) and time.monotonic() < end:
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def sign_in(page: Page) -> None:
    """By the link that the command prints, as everybody does."""
    lines = manage("add_user", "me", "--role", "admin").splitlines()
    page.goto("/" + next(line for line in lines if line.startswith("http")).split("/", 3)[3])
    for field in page.locator("input[type=password]").all():
        field.fill("the tiny world is flat")
    page.locator("main button").first.click()
    page.goto("/accounts/login/")
    if page.locator("input[type=password]").count():
        page.get_by_label("Username").fill("me")
        page.locator("input[type=password]").fill("the tiny world is flat")
        page.locator("main button").first.click()


def rating(page: Page) -> None:
    """The rater's screen, some items on, at a thing with a shape."""
    page.goto(f"/studies/{RATED}/")
    page.get_by_label("I want to take part").check()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/rate/**")
    if page.url.endswith("/instructions/"):
        page.get_by_role("button", name="Begin").click()
    answered = 0
    while answered < 6 or page.locator(".target").inner_text() not in THINGS:
        page.locator("main").evaluate("main => (main.dataset.left = '')")
        page.keyboard.press("4")
        page.keyboard.press("Enter")
        page.locator("main:not([data-left])").wait_for()
        answered += 1
    page.locator("#answer-form[data-painted]").wait_for()
    # The foot names a language in its own script, for which a machine may have no font.
    save("rating", page.screenshot(clip=_rectangle(0, page.locator("footer"))), palette=False)


def report(page: Page) -> None:
    """The table and the figure of the report."""
    page.goto(f"/reports/{ANSWERED}/?simulated=1")
    heading = page.get_by_role("heading", name="Simulated raters").first
    page.wait_for_load_state("networkidle")
    figure = heading.locator("xpath=following::figure[1]//figcaption")
    save("report", page.screenshot(full_page=True, clip=_rectangle(_top(heading) - 16, figure)))


def _rectangle(top: float, until: Locator) -> Any:
    """The whole width of the page, from ``top`` down to where another part begins."""
    return {"x": 0, "y": top, "width": WIDTH, "height": _top(until) - top}


def _top(part: Locator) -> float:
    box = part.bounding_box()
    if box is None:
        sys.exit(f"{part} is not to be seen.")
    return box["y"]


def save(name: str, content: bytes, *, palette: bool = True) -> None:
    """As PNG; with a palette of its own, by which pages without pictures lose nothing."""
    with Image.open(io.BytesIO(content)) as image:
        shown = image.convert("RGB")
        (shown.quantize(255) if palette else shown).save(HERE / f"{name}.png", optimize=True)


def main() -> None:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        sys.exit("There is no Chromium on the PATH: on Debian, apt-get install chromium.")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ATTEST_DATA"] = folder
        make_studies()
        with served() as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
            page = browser.new_page(base_url=address, viewport=SIZE, color_scheme="light", locale="en")
            rating(page)
            sign_in(page)
            page.goto(f"/research/studies/{RATED}/")
            save("study", page.screenshot())
            report(page)
            browser.close()


if __name__ == "__main__":
    main()
