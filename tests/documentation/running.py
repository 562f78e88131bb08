"""Runs the commands of a page: what is ours in this process, which has everything loaded, the rest by the shell."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from django.core.management import call_command

from tests.documentation.pages import Command
from tests.documentation.tables import NOT_RUN, STAND_INS, NotRun

SHELL = {"cat", "cd", "diff", "echo", "rm", "sha256sum", "tar", "umask"}
ENVIRONMENT = ".venv/bin/"
CONTAINER = re.compile(r"docker compose (?:exec|run --rm)(?: -T)? \S+ (?=(?:python|hf|rm|tar) )")
Fill = Mapping[str, Callable[[], object]]


def plain(text: str) -> str:
    """The command without the folder of its environment, or the container that it runs in."""
    return CONTAINER.sub("", text.replace(ENVIRONMENT, ""), count=1)


def not_run(command: Command) -> NotRun | None:
    return next((entry for entry in NOT_RUN if plain(command.text).startswith(entry.begins.strip())), None)


def with_stand_ins(command: Command, fill: Fill) -> str:
    """The command as it is run here."""
    text = plain(command.text)
    for entry in STAND_INS:
        if entry.page == command.page:
            text = text.replace(entry.written, entry.instead)
    for name, value in fill.items():
        if f"{{{name}}}" in text:
            text = text.replace(f"{{{name}}}", str(value()))
    return text


def run(text: str, *, python: str) -> None:
    """Run one command, ``python`` being the interpreter for the shell's; raises unless it ends with 0."""
    if "<<" in text or text.split()[0] in SHELL:
        _by_shell(text, python)
        return
    words = shlex.split(text, comments=True)
    if words[0] == "export":
        return  # Settings were read when this process began; that each is one is tried by itself.
    while re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    words, target = (words[:-2], words[-1]) if words[-2:-1] == [">"] else (words, None)
    out = io.StringIO()
    with contextlib.redirect_stdout(out) if target else contextlib.nullcontext(), _own_signals():
        _in_process(words)
    if target:
        Path(target).write_text(out.getvalue(), encoding="utf-8")


def _by_shell(text: str, python: str) -> None:
    if text.startswith("cd "):
        os.chdir(text.removeprefix("cd "))
        return
    where = {"PATH": f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["sh", "-ec", text], check=True, env=os.environ | where, timeout=60)


def _in_process(words: list[str]) -> None:
    if words[:2] == ["python", "manage.py"]:
        _ends_well(lambda: call_command(*words[2:]))
    elif words[:2] == ["python", "-m"]:
        name = "attribution.__main__" if words[2] == "attribution" else words[2]
        _ends_well(lambda: importlib.import_module(name).main(words[3:]))
    elif words[:2] == ["python", "-c"]:
        exec(compile(words[2], "the page", "exec"), {})  # noqa: S102 - our own page
    else:
        raise AssertionError(f"{shlex.join(words)} is neither run nor listed in tests/documentation/tables.py")


def _ends_well(program: Callable[[], object]) -> None:
    """Run a program whose status may come as an exit (as ``--help`` does), as its result, or not at all."""
    try:
        status = program()
    except SystemExit as ended:
        status = ended.code
    assert status in {None, 0} or isinstance(status, str), f"ended with {status!r}"


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """A worker told to stop gives back what it claimed; the suite told to stop should end."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
