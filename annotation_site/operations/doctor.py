"""What can be wrong with an installation, each found by trying it, with what to do about it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.cache import caches
from django.core.files.storage import default_storage
from django.core.mail import get_connection
from django.db import connection

from annotation_site.alerts.sending import mail_leaves
from annotation_site.caching import SharedCache
from annotation_site.celery import app
from annotation_site.operations import health
from annotation_site.rating.assignment import database_now
from attribution.errors import AttributionError
from attribution.presets import downloaded, missing_parts, model_files, preset

GIBIBYTE = 2**30
LITTLE_SPACE, TOO_LITTLE_SPACE = 10 * GIBIBYTE, GIBIBYTE
CLOCK_SECONDS = 2.0
OWN_NAMES = {"localhost", "127.0.0.1", "::1"}
ANSWER_SECONDS = 2.0


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """What one check found; ``remedy`` is empty when all is well."""

    level: Level
    name: str
    text: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Every check, in the order in which one would repair what they find."""
    for name, check in CHECKS.items():
        try:
            yield check(name)
        except Exception as error:
            yield Finding(Level.FAIL, name, f"{type(error).__name__}: {error}", REMEDIES[name])


def _settings(name: str) -> Finding:
    if not settings.PRODUCTION:
        return Finding(Level.WARN, name, "this is a trial: its secret key is known, its reports are open",
                       "Set ATTEST_ENV=production before raters come from outside.")  # fmt: skip
    found = checks.run_checks(include_deployment_checks=True)
    serious = [message for message in found if message.level >= checks.WARNING]
    if serious:
        return Finding(Level.FAIL, name, "; ".join(f"{message.id} {message.msg}" for message in serious),
                       "Run manage.py check --deploy, which explains each.")  # fmt: skip
    return Finding(Level.OK, name, "production, and manage.py check --deploy finds nothing")


def _database(name: str) -> Finding:
    health.database()
    if connection.vendor == "sqlite":
        return Finding(Level.FAIL if settings.PRODUCTION else Level.WARN, name, "SQLite: one machine, few raters",
                       "Set DATABASE_URL=postgres://user:password@host/name.")  # fmt: skip
    return Finding(Level.OK, name, f"{connection.vendor} {'.'.join(map(str, connection.get_database_version()))}")


def _migrations(name: str) -> Finding:
    missing = health.unapplied_migrations()
    if missing:
        return Finding(Level.FAIL, name, f"not applied: {', '.join(missing[:5])} ({len(missing)} in all)",
                       REMEDIES[name])  # fmt: skip
    return Finding(Level.OK, name, "all are applied")


def _clock(name: str) -> Finding:
    apart = abs((datetime.now(UTC) - database_now()).total_seconds())
    text = f"{apart:.1f} s apart from the database's"
    if apart > CLOCK_SECONDS:
        return Finding(Level.WARN, name, text, "Let both machines follow a time server (chrony, systemd-timesyncd).")
    return Finding(Level.OK, name, text)


def _broker(name: str) -> Finding:
    try:
        with app.connection_for_write(settings.CELERY_BROKER_URL, connect_timeout=3) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=5)
            return Finding(Level.OK, name, broker.as_uri())
    except Exception as error:
        level = Level.FAIL if settings.PRODUCTION else Level.WARN
        return Finding(level, name, f"does not answer ({type(error).__name__})", REMEDIES[name])


def _tasks(name: str) -> Finding:
    try:
        with app.connection_for_write(settings.CELERY_BROKER_URL, connect_timeout=3) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=5)
            answers = app.control.inspect(timeout=ANSWER_SECONDS, connection=broker).active_queues() or {}
    except Exception:
        return Finding(Level.WARN, name, "nobody can be asked: the broker does not answer", REMEDIES["broker"])
    takers = [worker for worker, queues in answers.items() if settings.SITE_QUEUE in {each["name"] for each in queues}]
    if not takers:
        return Finding(Level.WARN, name, "no worker answers that takes the site's own", REMEDIES[name])
    return Finding(Level.OK, name, f"the site's own are taken by {', '.join(sorted(takers))}")


def _cache(name: str) -> Finding:
    if settings.CACHES["default"]["BACKEND"].endswith("LocMemCache"):
        level = Level.WARN if settings.PRODUCTION else Level.OK
        remedy = "Set CACHE_URL=rediscache://host:6379/1, so that processes share their throttles."
        return Finding(level, name, "each process has its own", remedy if level == Level.WARN else "")
    cache = caches["default"]
    if isinstance(cache, SharedCache) and not cache.answers():
        return Finding(Level.WARN, name, "does not answer: each process uses its own memory", REMEDIES[name])
    return Finding(Level.OK, name, "shared")


def _mail(name: str) -> Finding:
    if not mail_leaves():
        level = Level.WARN if settings.PRODUCTION else Level.OK
        text = f"goes to nobody: {settings.EMAIL_BACKEND.split('.')[-2]} prints or drops it"
        return Finding(level, name, text, REMEDIES[name] if level == Level.WARN else "")
    with get_connection(timeout=5):
        text = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} takes what we send"
    if urlsplit(settings.SITE_ADDRESS).hostname in OWN_NAMES:
        return Finding(Level.WARN, name, f"{text}; links lead to {settings.SITE_ADDRESS}, each reader's own machine",
                       "Set ATTEST_SITE to the site's address, such as https://HOST.")  # fmt: skip
    return Finding(Level.OK, name, text)


def _storage(name: str) -> Finding:
    health.storage()
    where = getattr(default_storage, "title", settings.MEDIA_ROOT)
    return Finding(Level.OK, name, f"{where} can be written")


def _disk(name: str) -> Finding:
    free = shutil.disk_usage(_existing(Path(settings.MEDIA_ROOT))).free
    text = f"{free / GIBIBYTE:.1f} GiB free"
    if free >= LITTLE_SPACE:
        return Finding(Level.OK, name, text)
    return Finding(Level.FAIL if free < TOO_LITTLE_SPACE else Level.WARN, name, text, REMEDIES[name])


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())


def _model(name: str) -> Finding:
    model = settings.ATTEST_MODEL
    try:
        title = preset(model).title
    except AttributionError as error:
        return Finding(Level.FAIL, name, str(error), REMEDIES[name])
    files = model_files(model) or downloaded(model)
    if files is None or not files.exists():
        return Finding(Level.WARN, name, f"{model} is not on this machine", REMEDIES[name])
    missing = missing_parts(files) if files.is_dir() else []
    if missing:
        return Finding(Level.FAIL, name, f"{title}, in {files}, lacks {', '.join(missing)}", REMEDIES[name])
    return Finding(Level.OK, name, f"{title}, in {files}")


def _gpu(name: str) -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding(Level.OK, name, "torch is not installed: this machine serves pages and draws no images")
    # Not in this process: loading torch takes seconds and a gigabyte, and a broken driver may end it.
    code = "import torch; print(*(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())), sep=', ')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        return Finding(Level.FAIL, name, (done.stderr.strip().splitlines() or ["torch cannot be loaded"])[-1],
                       "Install what constraints.txt names: pip install '.[web,worker]'.")  # fmt: skip
    if not done.stdout.strip():
        if settings.NEEDS_GPU:
            return Finding(Level.FAIL, name, "none, and ATTEST_NEEDS_GPU is on: workers end", REMEDIES[name])
        return Finding(Level.WARN, name, "none: images are drawn on the processor", REMEDIES[name])
    return Finding(Level.OK, name, done.stdout.strip())


CHECKS: dict[str, Callable[[str], Finding]] = {
    "settings": _settings,
    "database": _database,
    "migrations": _migrations,
    "clock": _clock,
    "broker": _broker,
    "tasks": _tasks,
    "cache": _cache,
    "mail": _mail,
    "storage": _storage,
    "disk": _disk,
    "model": _model,
    "gpu": _gpu,
}
REMEDIES = {
    "settings": "Run manage.py check --deploy.",
    "database": "Start it, and see that DATABASE_URL names its host, user and database.",
    "migrations": "Run manage.py migrate.",
    "clock": "Repair the database first.",
    "broker": "Start Redis, and see that CELERY_BROKER_URL names it; manage.py precompute draws without it.",
    "tasks": "Start celery -A annotation_site worker --pool=threads --queues=site (the service tasks): without it "
    "no alert, webhook or payment goes out. A worker that takes both queues answers only while it does not draw.",
    "cache": "See that CACHE_URL names a cache that runs.",
    "mail": "See that EMAIL_URL names your mail server (smtp+tls://user:password@host:587) and that it lets you in.",
    "storage": "Make ATTEST_DATA a folder that the site's user may write, or see that the S3_ variables name a bucket.",
    "disk": "Free space, or move ATTEST_DATA to a larger disk: an image with its maps takes about a megabyte.",
    "model": "Set ATTEST_MODEL to a shipped name or a folder, or download it where the workers run (hf download).",
    "gpu": "Give the worker a GPU (COMPOSE_PROFILES=gpu), or wait longer.",
}
