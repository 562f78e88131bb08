"""A PostgreSQL server of a test's own, to be stopped and started while the site runs on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.annotation_site.processes import free_port


class Cluster:
    """The server of a data folder; ``address`` is that of its one database."""

    def __init__(self, folder: Path, binaries: Path, options: Sequence[str] = ()) -> None:
        self._folder, self._binaries, self._port, self._given = folder, binaries, free_port(), " ".join(options)
        self.address = f"postgres://postgres@127.0.0.1:{self._port}/postgres"
        # PostgreSQL refuses to run as root.
        self._as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", f"--pgdata={folder / 'data'}")

    def start(self) -> None:
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -k {self._folder} {self._given}"
        self._control(f"--log={self._folder / 'log'}", f"--options={options}", "start")

    def stop(self) -> None:
        """As a crash does: every connection breaks off, and nothing is written any more."""
        self._control("--mode=immediate", "stop")

    def restart(self) -> None:
        self._control("--mode=immediate", f"--log={self._folder / 'log'}", "restart")

    def fill(self, source: str) -> None:
        """Every table and row of another database."""
        dump = subprocess.run([self._binaries / "pg_dump", source], capture_output=True, check=True)
        load = [self._binaries / "psql", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", self.address]
        subprocess.run(load, input=dump.stdout, capture_output=True, check=True)

    def log(self) -> str:
        """All that the server has written."""
        return (self._folder / "log").read_text(encoding="utf-8")

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.address, autocommit=True)

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "--wait", "--silent", f"--pgdata={self._folder / 'data'}", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        # No pipes: the server would keep them open.
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*self._as_owner, self._binaries / program, *arguments], cwd="/", check=True, **quiet)


@contextmanager
def running(options: Sequence[str] = ()) -> Iterator[Cluster]:
    """A started server, its command with ``options``; skips the test where PostgreSQL's programs are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(shutil.which("initdb") or "/missing")]
    if not found[-1].exists():
        pytest.skip("PostgreSQL's own programs (initdb, pg_ctl) are not installed")
    # Not in tmp_path, whose parents are closed to the user postgres.
    folder = Path(tempfile.mkdtemp(prefix="attest-cluster-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        cluster = Cluster(folder, found[-1].parent, options)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)
