"""What the prose names in passing exists: commands with their options, modules, files, and what links lead to."""

from __future__ import annotations

import argparse
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.core.management import get_commands, load_command_class

from attribution.command import parser as library_parser
from tests.documentation.pages import PAGES, ROOT, anchors, links, spans

OWN = {name: app for name, app in get_commands().items() if app.startswith("annotation_site.")}
#: Commands of Django's that the pages name as well.
DJANGOS = {"migrate", "collectstatic", "check", "changepassword"}


def options_of(name: str) -> set[str]:
    return set(load_command_class(get_commands()[name], name).create_parser("manage.py", name)._option_string_actions)


def library_options(name: str) -> set[str]:
    actions = library_parser()._actions
    commands = next(action for action in actions if isinstance(action, argparse._SubParsersAction))
    return set(commands.choices[name]._option_string_actions)


def named_options(words: list[str]) -> set[str]:
    return {word.partition("=")[0].strip("[]|") for word in words if word.strip("[").startswith("--")}


def named() -> Iterator[tuple[str, str, list[str]]]:
    """Each span's page, what it calls, and the words behind."""
    for page in PAGES:
        for span in spans(page):
            found = re.match(r"(?:\.venv/bin/)?(?:python )?(?:manage\.py |-m )?(\S+)(.*)$", span)
            if found and ("manage.py " in span or " -m attribution" in span or found[1] in OWN):
                yield page, found[1], found[2].split()


def test_commands_that_are_named_in_passing_exist_and_take_what_is_named():
    seen = set()
    for page, name, words in named():
        if name == "attribution":
            assert named_options(words) <= library_options(words[0]), (page, words)
        elif name.startswith("attribution."):
            assert importlib.util.find_spec(name), (page, name)
        elif name != "COMMAND":
            assert name in OWN or name in DJANGOS, (page, name)
            assert named_options(words) <= options_of(name), (page, name, words)
            seen.add(name)
    assert len(seen) > 15


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page):
    for span in spans(page):
        if re.fullmatch(r"(?:annotation_site|attribution|tests|docs|fixtures)/[\w./-]*", span):
            assert (ROOT / span).exists(), span


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in links(page):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        there = (ROOT / page).parent / path if path else ROOT / page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(str(there.resolve().relative_to(ROOT))), target


def test_each_page_is_in_the_index_and_the_index_in_the_readme():
    listed = {Path(target.partition("#")[0]).name for target in links("docs/README.md")}
    assert {path.name for path in ROOT.glob("docs/*.md")} - {"README.md"} <= listed
    read_first = {target.removeprefix("docs/") for target in links("README.md")}
    assert {path.name for path in ROOT.glob("docs/*.md")} <= read_first
