"""`manage.py doctor`: each fault is named, with what to do about it."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from huggingface_hub import snapshot_download

from annotation_site.operations import doctor
from attribution.presets import SHIPPED
from tests.annotation_site.alerts.mailserver import receiving

pytestmark = pytest.mark.django_db


def finding(name: str) -> doctor.Finding:
    return doctor.CHECKS[name](name)


def test_every_part_is_examined_and_every_fault_has_a_remedy(monkeypatch):
    monkeypatch.setitem(doctor.CHECKS, "gpu", lambda name: doctor.Finding(doctor.Level.OK, name, "not asked"))
    out = io.StringIO()
    call_command("doctor", stdout=out)
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert [line[1] for line in lines if line[0] in {"ok", "warn", "fail"}] == list(doctor.CHECKS)
    faults = sum(line[0] in {"warn", "fail"} for line in lines)
    assert sum(line[0] == "->" for line in lines) == faults
    assert set(doctor.REMEDIES) == set(doctor.CHECKS)


def test_a_fault_makes_it_end_with_1(monkeypatch):
    def broken(name: str) -> doctor.Finding:
        raise OSError("no such disk")

    monkeypatch.setattr(doctor, "CHECKS", {"disk": broken})
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", stdout=out)
    assert ended.value.code == 1
    assert "fail disk        OSError: no such disk" in out.getvalue()
    assert "-> Free space" in out.getvalue()


def test_a_missing_migration_fails_by_name():
    last = MigrationRecorder.Migration.objects.filter(app="rating").order_by("-id")[:1].get()
    last.delete()
    found = finding("migrations")
    assert found.level == doctor.Level.FAIL
    assert f"rating.{last.name}" in found.text


def test_sqlite_fails_in_production(settings):
    settings.PRODUCTION = True
    sqlite = connection.vendor == "sqlite"
    assert finding("database").level == (doctor.Level.FAIL if sqlite else doctor.Level.OK)


@pytest.mark.parametrize(("production", "level"), [(True, "fail"), (False, "warn")])
def test_a_broker_that_does_not_answer_is_named_without_its_password(settings, production, level):
    settings.PRODUCTION = production
    settings.CELERY_BROKER_URL = "redis://:canary@127.0.0.1:1/0"
    found = finding("broker")
    assert found.level == level
    assert "canary" not in found.text


def test_tasks_that_nobody_can_be_asked_about_are_a_warning(settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    found = finding("tasks")
    assert (found.level, found.remedy) == ("warn", doctor.REMEDIES["broker"])


def test_a_shipped_model_is_there():
    found = finding("model")
    assert (found.level, found.text.endswith("fixtures/tinyworld")) == (doctor.Level.OK, True)


def put(folder: Path, *files: str) -> None:
    """Those files of the shipped model, laid into ``folder``."""
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SHIPPED["tinyworld"] / file, folder / file)


WEIGHTS = ("unet", "vae", "text_encoder")
WHOLE = [path.relative_to(SHIPPED["tinyworld"]).as_posix() for path in SHIPPED["tinyworld"].rglob("*.*")]


@pytest.mark.parametrize(
    "lacks", ["refs/main", "model_index.json", *(f"{part}/" for part in WEIGHTS), "scheduler/", ""]
)
def test_what_was_downloaded_is_found_where_it_is_loaded_from_and_whole(settings, tmp_path, monkeypatch, lacks):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    settings.ATTEST_MODEL = "someone/some-model"
    assert finding("model").level == doctor.Level.WARN
    repository = tmp_path / "models--someone--some-model"
    snapshot = repository / "snapshots" / "c0ffee"
    snapshot.mkdir(parents=True)
    assert finding("model").level == doctor.Level.WARN
    if lacks != "refs/main":
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text("c0ffee")
        assert snapshot_download("someone/some-model", cache_dir=tmp_path, local_files_only=True) == str(snapshot)
    assert finding("model").level == (doctor.Level.WARN if lacks == "refs/main" else doctor.Level.FAIL)
    left_out = [file for file in WHOLE if lacks and file.startswith(lacks) and not file.endswith("/config.json")]
    put(snapshot, *(file for file in WHOLE if file not in left_out))
    found = finding("model")
    assert found.level == {"refs/main": "warn", "": "ok"}.get(lacks, "fail")
    assert (f"lacks {lacks.rstrip('/')}" in found.text) == (found.level == "fail")


def test_a_folder_that_is_no_model_fails(settings, tmp_path):
    settings.ATTEST_MODEL = str(tmp_path)
    found = finding("model")
    assert (found.level, "lacks model_index.json" in found.text) == (doctor.Level.FAIL, True)


@pytest.mark.parametrize(("free", "level"), [(2**29, "fail"), (2**32, "warn"), (2**34, "ok")])
def test_little_space_is_told_in_time(monkeypatch, free, level):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": free}))
    assert finding("disk").level == level


def test_a_folder_that_cannot_be_written_fails(settings, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    found = next(each for each in doctor.examine() if each.name == "storage")
    assert (found.level, found.remedy) == (doctor.Level.FAIL, doctor.REMEDIES["storage"])


def test_the_doctor_does_not_load_torch_into_its_own_process():
    code = (
        "import sys, os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'annotation_site.settings'; django.setup(); "
        "from annotation_site.operations import doctor; print(doctor._gpu('gpu').level, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[1] == "False"
    assert done.stdout.split()[0] in {"ok", "warn"}


def test_no_gpu_is_a_fault_where_one_is_needed(settings, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert finding("gpu").level == doctor.Level.WARN
    settings.NEEDS_GPU = True
    assert (finding("gpu").level, "ATTEST_NEEDS_GPU" in finding("gpu").text) == (doctor.Level.FAIL, True)


def test_mail_that_goes_to_nobody_is_said_in_production(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert finding("mail").level == doctor.Level.OK
    settings.PRODUCTION = True
    found = finding("mail")
    assert (found.level, "EMAIL_URL" in found.remedy) == (doctor.Level.WARN, True)
    assert "console prints or drops it" in found.text


def test_the_mail_server_is_tried(settings, monkeypatch):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.SITE_ADDRESS = "https://attest.example"
    with receiving() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        assert finding("mail").level == doctor.Level.OK
    monkeypatch.setattr(doctor, "CHECKS", {"mail": doctor.CHECKS["mail"]})
    [found] = doctor.examine()
    assert (found.level, found.text.partition(":")[0]) == (doctor.Level.FAIL, "ConnectionRefusedError")
    assert "EMAIL_URL" in found.remedy


def test_mail_with_links_to_this_machine_is_said(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.SITE_ADDRESS = "http://localhost:8000"
    with receiving() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        found = finding("mail")
    assert (found.level, "ATTEST_SITE" in found.remedy) == (doctor.Level.WARN, True)
    assert "http://localhost:8000" in found.text
