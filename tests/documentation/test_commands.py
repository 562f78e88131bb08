"""Every command of the documentation is run, or is listed with the reason why not."""

from __future__ import annotations

import re
import sys

import pytest

from annotation_site import settings as site
from tests.documentation import running
from tests.documentation.pages import LANGUAGES, PAGES, ROOT, blocks, commands, prose
from tests.documentation.tables import NOT_RUN, STAND_INS

WITH_COMMANDS = [page for page in PAGES if any(True for _ in commands(page))]


@pytest.mark.django_db
@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_the_commands_of_the_page_run_one_after_another(page, scene):
    for command in commands(page):
        if running.not_run(command):
            continue
        text = running.with_stand_ins(command, scene.fill)
        try:
            running.run(text, python=sys.executable)
        except BaseException as error:
            error.add_note(f"{command}\n  run as: {text}")
            raise


def test_every_entry_of_the_tables_serves_a_command():
    written = [command for page in WITH_COMMANDS for command in commands(page)]
    for entry in NOT_RUN:
        assert any(running.not_run(command) is entry for command in written), entry
        assert (ROOT / entry.shown_by).exists(), entry
    for stand_in in STAND_INS:
        of_page = [running.plain(command.text) for command in written if command.page == stand_in.page]
        assert any(stand_in.written in text for text in of_page), stand_in


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_its_language_and_no_command_hides_in_an_indented_one(page):
    assert {block.language for block in blocks(page)} <= LANGUAGES
    assert not re.findall(r"^ {3,}(?:\.venv|python|manage\.py|docker|curl|make|hf) .*", prose(page), re.MULTILINE)


def test_every_variable_that_is_exported_is_a_setting():
    lines = [command.text for page in WITH_COMMANDS for command in commands(page) if command.text.startswith("export")]
    names = {name for line in lines for name in re.findall(r"([A-Z_]+)=", line)}
    assert names
    assert all(re.search(rf"^{name}\b", str(site.__doc__), re.MULTILINE) for name in names)
