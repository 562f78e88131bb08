"""One page after the other in one browser context: loaded once, then looked at in each look."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
TOO_WIDE = Path(__file__).with_name("pages.js").read_text(encoding="utf-8")
REFUSED = "document.addEventListener('securitypolicyviolation', e => console.error('refused', e.violatedDirective))"
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
# Everything but the colours, which are looked at in both themes.
SHAPE = "axe.run({resultTypes: ['violations'], rules: {'color-contrast': {enabled: false}}}).then(r => r.violations)"


@dataclass
class Walk:
    """``found`` fills with what is wrong, ``folder`` (if any) with a picture of each page in each look."""

    page: Page
    folder: Path | None
    found: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(f"{REFUSED};{AXE_SCRIPT}")
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, session: str, address: str) -> None:
        """Be the one whose session it is; nobody for an empty one."""
        self.page.context.clear_cookies()
        if session:
            host = str(urlsplit(address).hostname)
            self.page.context.add_cookies([{"name": "sessionid", "value": session, "domain": host, "path": "/"}])

    def look(self, name: str, address: str, *, status: int = 200, ours: bool = True, leads_on: bool = False) -> None:
        """Go there, and look at it in light, on a phone, and in the dark."""
        self.complaints.clear()
        response = self.page.goto(address)
        got = response.status if response else 0
        if got != status:
            self.found.append(f"{name}: {address} is answered with {got}")
            return
        if not leads_on and urlsplit(self.page.url).path != urlsplit(address).path:
            self.found.append(f"{name}: {address} leads on to {self.page.url}")
        self.seen(name, ours=ours, expected=f"status of {status}")

    def seen(self, name: str, *, ours: bool = True, expected: str = "") -> None:
        """Look at the page that is there; what only a theme draws (not ``ours``) must be there and quiet."""
        self._settle()
        self._note(name, "blank", [] if len(self.page.locator("body").inner_text().strip()) > 20 else ["no words"])
        self._note(name, "axe", self._axe(SHAPE, CONTRAST, ours=ours))
        self._keep(name, "light")
        self.page.set_viewport_size(PHONE)
        self._note(name, "360 points", self.page.evaluate(TOO_WIDE) if ours else [])
        self._keep(name, "phone")
        self.page.set_viewport_size(DESKTOP)
        self.page.emulate_media(color_scheme="dark")
        self._note(name, "axe, dark", self._axe(CONTRAST, ours=ours))
        self._keep(name, "dark")
        self.page.emulate_media(color_scheme="light")
        self._note(name, "console", [text for text in self.complaints if not expected or expected not in text])
        self.complaints.clear()

    def _settle(self) -> None:
        if self.page.locator("#answer-form").count():
            self.page.locator("#answer-form[data-painted]").wait_for()

    def _axe(self, *scripts: str, ours: bool) -> list[str]:
        violations = [each for script in scripts if ours for each in self.page.evaluate(script)]
        return [f"{each['id']} at {[node['target'] for node in each['nodes']][:3]}" for each in violations]

    def _note(self, name: str, what: str, problems: list[str]) -> None:
        self.found += [f"{name} ({what}): {problem}" for problem in problems]

    def _keep(self, name: str, look: str) -> None:
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=self.folder / f"{name.replace(':', '-')}--{look}.png", full_page=True)
