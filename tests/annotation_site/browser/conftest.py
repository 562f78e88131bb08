"""A real Chromium in front of the live server.

Playwright's synchronous interface keeps an event loop running in its thread, in which Django rightly refuses database
work. So the browser has a thread of its own: a test hands it a script, and looks at the rows itself.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"viewport": {"width": 1280, "height": 720}}
PATIENCE = 30_000


class Visitor:
    """A person at a page: the steps that every script takes."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def join(self, slug: str = "study") -> None:
        """Consent, pass the instructions where there are any, and come to the first item."""
        self.page.goto(f"/studies/{slug}/")
        self.page.get_by_label("I want to take part").check()
        self.page.get_by_role("button", name="Start").click()
        self.page.wait_for_url("**/rate/**")
        if self.page.url.endswith("/instructions/"):
            self.page.get_by_role("button", name="Begin").click()
            self.page.wait_for_url(lambda address: not address.endswith("/instructions/"))

    def choose(self, label: str) -> None:
        self.page.get_by_role("radio", name=label, exact=True).check()

    @contextmanager
    def another_page(self) -> Iterator[None]:
        """What leads to another page, whether it comes in this one's place or by going there."""
        self.page.locator("main").evaluate("main => (main.dataset.left = '')")
        yield
        self.page.locator("main:not([data-left])").wait_for()

    def progress(self, text: str) -> None:
        """Wait until the page says how far the rater is: "1 of 3"."""
        self.page.locator(".progress", has_text=text).wait_for()

    def submit(self) -> None:
        with self.another_page():
            self.page.get_by_role("button", name="Submit").click()

    def press(self, *keys: str) -> None:
        """Each key in turn; the last one leads to another page."""
        for key in keys[:-1]:
            self.page.keyboard.press(key)
        with self.another_page():
            self.page.keyboard.press(keys[-1])

    def until(self, expression: str) -> None:
        """Wait for a JavaScript expression to hold.

        Playwright's own ``wait_for_function`` evaluates text again in the page after its first look, which the page's
        content security policy forbids.
        """
        end = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"still not so: {expression}"
            self.page.wait_for_timeout(20)

    def wait_until_painted(self) -> None:
        self.page.locator("#answer-form[data-painted]").wait_for()


Script = Callable[[Visitor], Any]


class Chromium:
    """One browser, started and used in one thread."""

    def __init__(self, executable: str) -> None:
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chromium")
        self.playwright, self.browser = self.thread.submit(self._start, executable).result()

    @staticmethod
    def _start(executable: str) -> tuple[Playwright, Browser]:
        playwright = sync_playwright().start()
        return playwright, playwright.chromium.launch(executable_path=executable, args=FLAGS)

    def run(self, script: Script, address: str, options: dict[str, Any]) -> tuple[Any, list[str]]:
        """What the script returns, and what the browser complained about meanwhile."""
        return self.thread.submit(self._run, script, address, options).result()

    def _run(self, script: Script, address: str, options: dict[str, Any]) -> tuple[Any, list[str]]:
        context = self.browser.new_context(base_url=address, **{**DESKTOP, **options})
        context.set_default_timeout(PATIENCE)
        complaints: list[str] = []
        context.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        try:
            return script(Visitor(context.new_page())), complaints
        finally:
            context.close()

    def stop(self) -> None:
        self.thread.submit(self.browser.close).result()
        self.thread.submit(self.playwright.stop).result()
        self.thread.shutdown()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.skip(f"needs a Chromium on the PATH ({', '.join(NAMES)}): on Debian, apt-get install chromium")
    chromium = Chromium(executable)
    yield chromium
    chromium.stop()


def wait_for_the_server() -> None:
    """Until the live server has dealt with all that the closed page had asked of it.

    What is still under way (a stimulus fetched ahead, say) would write after the test has looked at the rows, and hold
    the tables while the database is emptied for the next test.
    """
    end = time.monotonic() + PATIENCE / 1000
    while busy := [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]:
        assert time.monotonic() < end, f"requests of a closed page still run: {busy}"
        busy[0].join(timeout=1)


@pytest.fixture
def drive(chromium: Chromium, live_server) -> Callable[..., Any]:
    """``drive(script, **context options)``: run the script on a new page; fail if the browser complained.

    What the script means to provoke is named by ``expected``: a status (422, ...), or part of the complaint.
    """

    def drive(script: Script, *, expected: tuple[int | str, ...] = (), **options: Any) -> Any:
        try:
            result, complaints = chromium.run(script, live_server.url, options)
        finally:
            wait_for_the_server()
        known = [f"status of {this}" if isinstance(this, int) else this for this in expected]
        unexpected = [text for text in complaints if not any(this in text for this in known)]
        assert unexpected == []
        return result

    return drive
