"""What the browser is sent: small, ours, and whole under the names that production gives it."""

from __future__ import annotations

import gzip
import re
import shutil
from pathlib import Path

import django_htmx
import pytest
from django.conf import settings
from django.core.files.storage import FileSystemStorage

from annotation_site.storage import HashedFiles

STATIC = Path(settings.BASE_DIR) / "static"
TEMPLATES = Path(settings.BASE_DIR) / "templates"


def compressed(*patterns: str) -> int:
    return sum(len(gzip.compress(path.read_bytes())) for pattern in patterns for path in STATIC.glob(pattern))


def test_the_budget_of_a_raters_pages_is_kept():
    assert 0 < compressed("js/*.js") < 25_000
    assert 0 < compressed("css/tokens.css", "css/base.css", "css/rating.css", "css/raters.css") < 10_000


def test_nothing_comes_from_elsewhere():
    text = "".join(
        path.read_text() for path in [*STATIC.rglob("*.js"), *STATIC.rglob("*.css"), *TEMPLATES.rglob("*.html")]
    )
    assert not re.search(r"@font-face|@import|(src|href)=[\"']?(https?:)?//|url\(", text)


def test_in_production_a_script_imports_the_others_by_their_hashed_names(tmp_path):
    storage = HashedFiles(location=tmp_path, base_url="/static/")
    source = FileSystemStorage(location=STATIC)
    paths = {f"js/{path.name}": (source, f"js/{path.name}") for path in STATIC.glob("js/*.js")}
    shutil.copytree(STATIC / "js", tmp_path / "js")
    assert all(done for name, new, done in storage.post_process(paths))
    imported = re.findall(r"from [\"']([^\"']+)[\"']", (tmp_path / storage.hashed_files["js/rating.js"]).read_text())
    assert len(imported) > 3
    for address in imported:
        assert re.fullmatch(r"\S+\.[0-9a-f]{12}\.js", address)
        assert (tmp_path / "js" / Path(address).name).exists()


def test_htmx_is_served_from_here_under_a_hashed_name(tmp_path):
    storage = HashedFiles(location=tmp_path, base_url="/static/")
    folder = Path(django_htmx.__file__).parent / "static"
    source = FileSystemStorage(location=folder)
    paths = {str(path.relative_to(folder)): (source, str(path.relative_to(folder))) for path in folder.rglob("*.js")}
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    assert any("/ext/" in name for name in paths)
    assert all(done for name, new, done in storage.post_process(paths))
    assert (tmp_path / storage.hashed_files["django_htmx/htmx-2.min.js"]).exists()


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_templates_hold_no_inline_scripts_and_styles(template):
    text = template.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
