"""The instructions and one item as raters see them, by language: pages that need nothing else and lead nowhere.

The very templates of the raters' pages are rendered; then style sheets and pictures are put into the page, and scripts,
addresses and whatever a form would send are taken out. What scripts do (drawing, keys) is therefore not there.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.urls import resolve
from django.utils import translation

from annotation_site.raters.models import Enrolment
from annotation_site.rating import flow_pages
from annotation_site.rating.pages import stimulus
from annotation_site.reports.exports.pictures import FileDamaged
from annotation_site.reports.loading import rated_items
from annotation_site.studies.models import Item, Study

FOLDER = "as-shown"
# Stands in addresses until they are taken out.
NOBODY = "nobody"
TAKEN_OUT = (
    re.compile(r"<script\b.*?</script>", re.DOTALL),
    re.compile(r'<link\b(?![^>]*rel="stylesheet")[^>]*>'),
    re.compile(r'<input type="hidden"[^>]*>'),
    # The way to other languages, each of which is a page of its own here, and to the staff.
    re.compile(r'<form\b[^>]*class="languages".*?</form>', re.DOTALL),
    re.compile(r'<a class="link".*?</a>', re.DOTALL),
    re.compile(r'\s(?:href|action|formaction|method|data-[a-z-]+)="(?!#)[^"]*"'),
)
SHEET = re.compile(r'<link rel="stylesheet" href="([^"]+)">')
SOURCE = re.compile(r'\ssrc="([^"]+)"')


def write_as_shown(study: Study, folder: Path, locales: Iterable[str], *, images: bool) -> None:
    """``as-shown/instructions.LOCALE.html`` and ``item.LOCALE.html``, the latter only with ``images``."""
    target = folder / FOLDER
    target.mkdir()
    item = _first(study) if images else None
    for locale in locales:
        for name, content in _pages(study, item, locale, images=images).items():
            (target / f"{name}.{locale}.html").write_text(content, encoding="utf-8", newline="\n")


def _first(study: Study) -> Item | None:
    """The first item in use whose image is made."""
    rows = rated_items(study).filter(withdrawn_at__isnull=True, generation__state="done")
    return rows.select_related("generation__recipe", "word__prompt", "second_word").first()


def _pages(study: Study, item: Item | None, locale: str, *, images: bool) -> dict[str, str]:
    nobody = Enrolment(study=study, token=NOBODY)
    with translation.override(locale):
        told = flow_pages.instructions(nobody, locale)
        if not images:
            told["example"] = None
        found = {"instructions": _alone(render_to_string("rating/instructions.html", told))}
        if item is not None:
            found["item"] = _alone(render_to_string(f"rating/{study.kind}.html", _item(study, item, nobody)))
    return found


def _item(study: Study, item: Item, nobody: Enrolment) -> dict[str, Any]:
    total = rated_items(study).filter(withdrawn_at__isnull=True).count()
    shown = {"study": study, "enrolment": nobody, "item": item, "done": 0, "total": study.cap or total}
    return shown | {"chosen": [], "error": "", "sent": {}, "previous": ""} | stimulus(item, nobody, turn=0)


def _alone(page: str) -> str:
    """The page with all that it loads in itself, and without what leads or reports anywhere."""
    page = SHEET.sub(lambda found: f"<style>{_static(found[1]).decode()}</style>", page)
    for pattern in TAKEN_OUT:
        page = pattern.sub("", page)
    return SOURCE.sub(lambda found: f' src="{_embedded(unescape(found[1]))}"', page)


def _static(address: str) -> bytes:
    name = urlsplit(address).path.removeprefix(urlsplit(settings.STATIC_URL).path).lstrip("/")
    # A manifest's names carry a hash before the ending.
    plain = re.sub(r"\.[0-9a-f]{12}(?=\.[a-z]+$)", "", name)
    found = finders.find(plain)
    if found is None:
        raise FileDamaged(f"static file {plain} is missing: install Attest again.")
    return Path(found).read_bytes()


def _embedded(address: str) -> str:
    """A picture of the site as a data address, made by the view that serves it."""
    parts = urlsplit(address)
    if parts.path.startswith(urlsplit(settings.STATIC_URL).path):
        kind = "image/svg+xml" if parts.path.endswith(".svg") else "image/png"
        return f"data:{kind};base64,{b64encode(_static(address)).decode()}"
    request, match = HttpRequest(), resolve(parts.path)
    request.method, request.path, request.GET = "GET", parts.path, QueryDict(parts.query)
    response = match.func(request, *match.args, **match.kwargs)
    content = b"".join(response) if response.streaming else response.content
    if response.status_code != 200:
        raise FileDamaged(f"{parts.path} cannot be shown: {content.decode(errors='replace')[:200]}")
    return f"data:{response['Content-Type']};base64,{b64encode(content).decode()}"
