"""Processes of their own on the test database."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

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


def start(*command: object, data: Path, **environment: str) -> subprocess.Popen[str]:
    """A process in a group of its own, which ``os.killpg`` ends with its children; its data are in ``data``."""
    variables = {
        "DATABASE_URL": database_url(),
        "ATTEST_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "annotation_site.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)]),
    }
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
    return subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env=os.environ | variables | environment,
        text=True,
        start_new_session=True,
        **pipes,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
