"""What supervisors and balancers ask: alive, ready, and which part is not."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder

from annotation_site.operations import health


def test_a_living_process_says_so_without_the_database(client):
    answer = client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.django_db
def test_a_ready_site_names_its_parts(client):
    answer = client.get("/readyz")
    parts = {"database": "ok", "migrations": "ok", "storage": "ok"}
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "parts": parts})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_a_missing_migration_makes_it_unready(client):
    MigrationRecorder.Migration.objects.filter(app="studies").order_by("-id")[:1].get().delete()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["migrations"] == "1 migrations are not applied: run manage.py migrate"


@pytest.mark.django_db
def test_a_folder_that_cannot_be_written_makes_it_unready(client, settings, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["storage"] == "does not answer; the log says why"
    assert str(tmp_path) not in answer.content.decode()


def test_a_database_that_refuses_is_named_without_its_password(client, monkeypatch, caplog):
    def refuse() -> None:
        raise OperationalError("connection failed: password=canary")

    monkeypatch.setattr(health, "PARTS", {"database": refuse})
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "canary" not in answer.content.decode()
    assert "The database is not ready" in caplog.text


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_nothing_can_be_posted(client, path):
    assert client.post(path).status_code == 405
