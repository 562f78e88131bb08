"""Backup, wipe, restore, compare: every row and every file, on both databases."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone

from annotation_site.operations import backups
from annotation_site.payments.approving import approve, preview
from annotation_site.payments.deciding import take_back
from annotation_site.payments.finance import mark_paid
from annotation_site.payments.models import Entry, PayScheme
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.models import Judgement, Seat
from annotation_site.reports.preregistration.registering import register
from annotation_site.studies.models import Registration, Study

pytestmark = pytest.mark.django_db(transaction=True)
# The Dockerfile's.
SITE_USER = 10001


def everything() -> tuple[dict[str, Any], dict[str, bytes]]:
    """All rows with all their values, read by the tables themselves, and all files."""
    rows = {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in backups.kept_models()}
    # The numbers of kinds are given anew by migrate; what a row is about is the kind's name.
    kinds = dict(ContentType.objects.values_list("pk", "model"))
    for entry in rows["auditlog.LogEntry"]:
        entry["content_type_id"] = kinds[entry["content_type_id"]]
    media = Path(site.MEDIA_ROOT)
    files = {path.relative_to(media).as_posix(): path.read_bytes() for path in media.rglob("*") if path.is_file()}
    return rows, files


def run(command: str, *arguments: object) -> str:
    out = io.StringIO()
    call_command(command, *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.fixture
def full(make_study, django_user_model) -> Study:
    """A study with an answer in Korean punctuation, microseconds, a user with a permission, and a rater's link."""
    study = make_study(items=2)
    Study.objects.filter(pk=study.pk).update(title="별, «얼마나» 맞나요?")
    enrolment = Enrolment.objects.create(rater=Rater.objects.create(), study=study)
    seat = study.seats.filter(state="free").first()
    Seat.objects.filter(pk=seat.pk).update(state="done", enrolment=enrolment, ordinal=1)
    now = timezone.now().replace(microsecond=123456)
    Judgement.objects.create(
        seat=seat,
        enrolment=enrolment,
        key=uuid.uuid4(),
        rating=4,
        shown_at=now,
        answered_at=now,
        views=[[1, "map", 0.5]],
    )
    user = django_user_model.objects.create_user("researcher", password="a-long-enough-password")
    user.user_permissions.add(Permission.objects.get(codename="view_study"))
    return study


def test_what_was_backed_up_comes_back_whole(full, tmp_path, django_user_model):
    before = everything()
    assert "rows, 6 files." in run("backup", tmp_path / "backups" / "monday")
    call_command("flush", interactive=False, verbosity=0)
    shutil.rmtree(site.MEDIA_ROOT)
    assert everything()[0] != before[0]
    assert "6 files" in run("restore", tmp_path / "backups" / "monday")
    assert everything() == before
    assert django_user_model.objects.get().has_perm("studies.view_study")
    # The keys go on after the old ones.
    assert Rater.objects.create().pk > max(row["id"] for row in before[0]["raters.Rater"])


def test_what_only_grows_comes_back_whole_and_is_guarded_as_before(full, tmp_path, ledger_left):
    PayScheme.objects.create(study=full, version=1, currency="USD", per_item=50, made_at=timezone.now(), made_by="ada")
    rater, who = Enrolment.objects.get(), {"by": "ada", "now": timezone.now()}
    for reason in ("slip", ""):
        batch = approve(full, [rater.pk], preview(full, [rater.pk]).digest, **who)
        if reason:
            take_back(batch.entries.get(kind="approval"), reason=reason, **who)
    mark_paid(batch, total=50, reference="t-1", **who)
    register(full, {}, **who)
    before = everything()
    assert len(before[0]["payments.Entry"]) == 7
    run("backup", tmp_path / "b")
    run("restore", tmp_path / "b", "--replace")
    assert everything() == before
    with pytest.raises(DatabaseError, match="only grows"):
        Entry.objects.update(amount=1)
    with pytest.raises(DatabaseError, match="stays as it was made"):
        Registration.objects.update(registered_by="eve")


def test_a_site_with_rows_is_refused_and_replaced_only_when_told(full, tmp_path):
    before = everything()
    run("backup", tmp_path / "b")
    Study.objects.filter(pk=full.pk).update(title="changed")
    Rater.objects.create()
    default_storage.save("later.png", io.BytesIO(b"later"))
    changed = everything()
    with pytest.raises(CommandError, match=r"not empty .* --replace"):
        run("restore", tmp_path / "b")
    assert everything() == changed
    run("restore", tmp_path / "b", "--replace")
    assert everything() == before


@pytest.mark.parametrize("damage", ["database", "file", "missing file", "manifest", "version", "outside"])
def test_a_damaged_backup_is_refused_before_anything_is_changed(full, tmp_path, damage):
    run("backup", tmp_path / "b")
    manifest = tmp_path / "b" / "manifest.json"
    content = json.loads(manifest.read_text())
    image = next(path for path in (tmp_path / "b" / "files").rglob("image.png"))
    if damage == "database":
        with (tmp_path / "b" / "database.jsonl").open("a") as rows:
            rows.write("\n")
    elif damage == "file":
        image.write_bytes(image.read_bytes()[:-1])
    elif damage == "missing file":
        image.unlink()
    elif damage == "manifest":
        manifest.write_text("{")
    elif damage == "version":
        manifest.write_text(json.dumps(content | {"migrations": content["migrations"][1:]}))
    else:
        manifest.write_text(json.dumps(content | {"files": {"../../secret": "0"}}))
    before = everything()
    with pytest.raises(CommandError, match=r"damaged|no backup|other migrations|leads out"):
        run("restore", tmp_path / "b", "--replace")
    assert everything() == before


def test_rows_that_do_not_fit_leave_the_site_as_it_was(full, tmp_path):
    run("backup", tmp_path / "b")
    database, manifest = tmp_path / "b" / "database.jsonl", tmp_path / "b" / "manifest.json"
    lines = [line for line in database.read_text().splitlines() if '"raters.rater"' not in line]
    database.write_text("\n".join(lines))
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"database": backups._sha256(database)}))
    before = everything()
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        run("restore", tmp_path / "b", "--replace")
    assert everything() == before


def test_a_backup_never_replaces_another_and_a_failed_one_leaves_nothing(full, tmp_path, monkeypatch):
    run("backup", tmp_path / "b")
    with pytest.raises(CommandError, match="exists: name a new folder"):
        run("backup", tmp_path / "b")

    def full_disk(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups.Path, "write_bytes", full_disk)
    with pytest.raises(CommandError, match="No space left"):
        run("backup", tmp_path / "c")
    assert not [path for path in tmp_path.iterdir() if "c" in path.name.split(".")]


def test_nobody_else_may_look_into_a_backup(full, tmp_path):
    run("backup", tmp_path / "b")
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may act for another user")
def test_the_sites_user_can_read_a_backup_that_came_back_as_documented(full, tmp_path):
    """On the host it belongs to somebody else, and nobody but its owner may look into it."""
    run("backup", tmp_path / "monday")
    page = (Path(site.BASE_DIR) / "docs" / "in-production.md").read_text(encoding="utf-8")
    [unpack] = re.findall(r"^tar -cf - monday \| docker compose run --rm -T web (tar .*) /data/$", page, re.MULTILINE)
    packed = subprocess.run(["tar", "-cf", "-", "monday"], cwd=tmp_path, capture_output=True, check=True).stdout
    # Not below pytest's own folder, which is root's alone.
    with tempfile.TemporaryDirectory() as volume:
        os.chown(volume, SITE_USER, SITE_USER)
        as_site = {"user": SITE_USER, "group": SITE_USER, "extra_groups": [], "check": True}
        subprocess.run([*shlex.split(unpack), volume], input=packed, **as_site)
        manifest = Path(volume) / "monday" / "manifest.json"
        read = subprocess.run(["cat", str(manifest)], capture_output=True, **as_site).stdout
        assert read == (tmp_path / "monday" / "manifest.json").read_bytes()
        assert manifest.parent.stat().st_mode & 0o777 == 0o700
