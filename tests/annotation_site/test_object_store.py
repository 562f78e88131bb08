"""Files in an object store: put whole, read, listed, deleted, and every failure said with its remedy."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from annotation_site.object_store import ObjectStore
from annotation_site.operations import doctor, health
from annotation_site.stimuli import files
from annotation_site.storage import StorageFull, StorageUnavailable
from tests.annotation_site import object_store
from tests.annotation_site.processes import free_port


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with object_store.running() as address:
        yield address


@pytest.fixture
def bucket(endpoint, settings) -> str:
    settings.STORAGES = object_store.storages(endpoint)
    call_command("make_bucket", stdout=io.StringIO())
    return settings.STORAGES["default"]["OPTIONS"]["bucket_name"]


def client(endpoint: str) -> Any:
    return boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id="key", aws_secret_access_key="secret",
        region_name=object_store.REGION,
    )  # fmt: skip


def test_a_file_is_put_under_its_very_name_replaced_read_listed_and_deleted(endpoint, bucket):
    files.write("generations/ab/one.png", b"first")
    files.write("generations/ab/one.png", b"second")
    files.write("ready-or-not/two.npz", b"")
    files.write("ready-1", b"ready")
    assert files.read("generations/ab/one.png") == b"second"
    assert sorted(files.every()) == ["generations/ab/one.png", "ready-or-not/two.npz"]
    # As another program finds it: in the folder of the settings, as a picture.
    found = client(endpoint).get_object(Bucket=bucket, Key="site/generations/ab/one.png")
    assert (found["Body"].read(), found["ContentType"]) == (b"second", "image/png")
    files.delete("generations/ab/one.png")
    files.delete("generations/ab/one.png")
    assert not default_storage.exists("generations/ab/one.png")
    with pytest.raises(FileNotFoundError):
        files.read("generations/ab/one.png")


def test_more_than_a_page_of_files_is_listed(bucket, monkeypatch):
    monkeypatch.setattr(ObjectStore, "page", 2)
    names = [f"{number}.npz" for number in range(5)]
    for name in names:
        files.write(name, b"")
    assert sorted(files.every()) == names


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../outside"])
def test_no_name_leads_out_of_the_folder(bucket, name):
    with pytest.raises(Exception, match=r"(?i)denied|traversal|suspicious"):
        files.write(name, b"x")


def test_a_store_that_does_not_answer_is_told_with_its_remedy(settings):
    settings.STORAGES = object_store.storages(f"http://127.0.0.1:{free_port()}")
    for attempt in (
        lambda: files.read("a"),
        lambda: files.write("a", b""),
        lambda: files.delete("a"),
        lambda: list(files.every()),
        lambda: default_storage.exists("a"),
        lambda: default_storage.listdir(""),
    ):
        with pytest.raises(StorageUnavailable, match=r"does not answer .* S3_ENDPOINT"):
            attempt()
    with pytest.raises(CommandError, match="does not answer"):
        call_command("make_bucket")


def test_a_missing_bucket_is_named_with_the_command_that_makes_it(endpoint, settings):
    settings.STORAGES = object_store.storages(endpoint)
    with pytest.raises(StorageUnavailable, match="make_bucket"):
        files.read("a")
    out = io.StringIO()
    call_command("make_bucket", stdout=out)
    call_command("make_bucket", stdout=out)
    first, second = out.getvalue().splitlines()
    assert first.endswith("is made.")
    assert second.endswith("was there already.")
    with pytest.raises(FileNotFoundError):
        files.read("a")


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        ("SignatureDoesNotMatch", StorageUnavailable, "S3_SECRET_KEY"),
        ("AccessDenied", StorageUnavailable, "S3_ACCESS_KEY"),
        ("SlowDown", StorageUnavailable, "try again later"),
        ("QuotaExceeded", StorageFull, "is full"),
        ("NoSuchKey", FileNotFoundError, "no such file"),
    ],
)
def test_what_a_store_answers_becomes_an_error_that_says_what_to_do(code, kind, text):
    store = ObjectStore(bucket_name="b", endpoint_url="http://s3.test", access_key="a", secret_key="very-secret")
    with pytest.raises(kind, match=text) as raised, store._said("name.png"):
        raise ClientError({"Error": {"Code": code}}, "GetObject")
    assert "very-secret" not in str(raised.value)


def test_health_and_doctor_try_the_store(bucket, settings, endpoint):
    health.storage()
    assert not list(default_storage.every())
    found = next(each for each in doctor.examine() if each.name == "storage")
    assert bucket in found.text
    settings.STORAGES = object_store.storages(endpoint)
    with pytest.raises(StorageUnavailable):
        health.storage()


def test_without_a_bucket_there_is_none_to_make():
    with pytest.raises(CommandError, match="S3_BUCKET"):
        call_command("make_bucket")
