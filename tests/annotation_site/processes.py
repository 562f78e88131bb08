"""Processes of their own on the test database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from django.db import connection

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def database_url() -> str:
    """The test database as another process reaches it."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    credentials = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    return f"postgres://{credentials}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


class Process(subprocess.Popen[str]):
    """In a group of its own, which ``os.killpg`` ends with its children.

    It writes to a file: a pipe that nobody reads fills up, and then whoever writes to it stands still.
    """

    def __init__(self, command: list[str], environment: dict[str, str], data: Path) -> None:
        with tempfile.NamedTemporaryFile(dir=data, suffix=".log", delete=False) as output:
            self._output = Path(output.name)
            super().__init__(
                command,
                cwd=ROOT,
                env=os.environ | environment,
                text=True,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self, timeout: float | None = None) -> str:
        """Everything it wrote, once it has ended."""
        self.wait(timeout)
        return self._output.read_text()

    def kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()


def start(*command: object, data: Path, **environment: str) -> Process:
    """A process on the test database, with its files in ``data``."""
    variables = {
        "DATABASE_URL": database_url(),
        "ATTEST_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "annotation_site.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)]),
    }
    return Process([str(part) for part in command], variables | environment, data)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
