"""`manage.py work` that is killed right after it has written so many files: ``python dying.py FILES``."""

from __future__ import annotations

import itertools
import os
import signal
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from annotation_site.stimuli import files  # noqa: E402


def die_after(number: int) -> None:
    written, write = itertools.count(1), files.write

    def write_and_die(*arguments: object) -> None:
        write(*arguments)
        if next(written) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    files.write = write_and_die


die_after(int(sys.argv[1]))
call_command("work", poll=0.1)
