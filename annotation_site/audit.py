"""The audit log: who changed what, when, from what to what, and why. Rows of django-auditlog, appended, never edited.

What is saved as an object is noted by auditlog itself (AUDITLOG_INCLUDE_TRACKING_MODELS in the settings). Most changes
here are conditional updates, which no signal sees: they call :func:`note`, in the same transaction.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import PurePath
from typing import Any

from auditlog.models import LogEntry
from django.db.models import Model

#: The signed-in user of the request that is being answered, asked for only when something is noted.
user: ContextVar[Callable[[], Any]] = ContextVar("audit_user", default=lambda: None)
#: What acts where nobody is signed in: a command with the account that runs it, or a task.
program: ContextVar[str] = ContextVar("audit_program", default="")


def note(row: Model, reason: str = "", **changes: tuple[Any, Any]) -> None:
    """Note a change of ``row`` that was just made: ``state=("open", "paused")``, old and new, and why."""
    said = {"reason": reason} if reason else None
    shown = {name: [str(before), str(after)] for name, (before, after) in changes.items()}
    LogEntry.objects.log_create(row, action=LogEntry.Action.UPDATE, changes=shown, additional_data=said)


def complete(sender: type[LogEntry], instance: LogEntry, **kwargs: Any) -> None:
    """Name who acts in an entry that is about to be stored."""
    actor = user.get()()
    if instance.actor is None and actor is not None and actor.is_authenticated:
        instance.actor = actor
    elif program.get():
        instance.additional_data = {"by": program.get()} | (instance.additional_data or {})


def hidden(value: str) -> str:
    """What the log says in place of a code that raters are given."""
    return "[hidden]" if value else ""


def command(arguments: list[str]) -> str:
    """What the log calls a command: its name, never its options, and the account of the machine that runs it."""
    name = arguments[1] if len(arguments) > 1 else ""
    return f"{PurePath(arguments[0]).name} {name} ({_account()})"


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # A container's user may have no name.
        return "an account without a name"


@contextmanager
def by(what: str) -> Iterator[None]:
    """Within, ``what`` acts."""
    before = program.set(what)
    try:
        yield
    finally:
        program.reset(before)
