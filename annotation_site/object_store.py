"""Files in an S3-compatible store, whose failures say what to do."""

from __future__ import annotations

import base64
import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile, File
from storages.backends.s3 import S3Storage

from annotation_site.storage import StorageFull, StorageUnavailable

KEYS_REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Forbidden", "401", "403"}
MISSING = {"NoSuchKey", "404", "NotFound"}
FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507"}


class ObjectStore(S3Storage):
    """A bucket of an S3-compatible store. Each put is whole by itself, and each get one request.

    Failures are OSErrors, as those of a folder are: FileNotFoundError, StorageFull, and StorageUnavailable for all that
    a retry or an administrator repairs.
    """

    page = 1000
    """Files that one request lists, at most."""

    def __init__(self, **settings: Any) -> None:
        # Short enough that a rater is told before the browser gives up; the checksums are S3's own extension, which
        # other stores need not know.
        settings["client_config"] = Config(
            connect_timeout=3,
            read_timeout=20,
            retries={"total_max_attempts": 3, "mode": "standard"},
            s3={"addressing_style": settings.pop("addressing_style", "path")},
            signature_version="s3v4",
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        super().__init__(file_overwrite=True, **settings)

    @cached_property
    def title(self) -> str:
        """What errors call it."""
        return f"bucket {self.bucket_name} at {self.endpoint_url or 'Amazon S3'}"

    def every(self) -> Iterator[str]:
        """The names of all files."""
        prefix = f"{self.location.strip('/')}/" if self.location else ""
        with self._said("the list of files"):
            for stored in self.bucket.objects.filter(Prefix=prefix).page_size(self.page):
                yield stored.key.removeprefix(prefix)

    def make_bucket(self) -> bool:
        """Make the bucket unless it is there; whether it was made."""
        client = self.connection.meta.client
        with self._said("the bucket"):
            try:
                client.head_bucket(Bucket=self.bucket_name)
                return False
            except ClientError as error:
                if _code(error) not in MISSING | {"NoSuchBucket"}:
                    raise
            elsewhere = self.region_name not in (None, "", "us-east-1")
            place = {"CreateBucketConfiguration": {"LocationConstraint": self.region_name}} if elsewhere else {}
            client.create_bucket(Bucket=self.bucket_name, **place)
        return True

    def delete(self, name: str) -> None:
        with self._said(name):
            super().delete(name)

    def exists(self, name: str) -> bool:
        with self._said(name):
            return bool(super().exists(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        with self._said(path):
            folders, names = super().listdir(path)
        return folders, names

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode != "rb":
            raise ValueError(f"{name} is opened with mode {mode!r}: stored files are read whole ('rb').")
        with self._said(name):
            return ContentFile(self.bucket.Object(self._normalize_name(name)).get()["Body"].read(), name)

    def _save(self, name: str, content: File) -> str:
        content.seek(0)
        body, kept = content.read(), self._normalize_name(name)
        # The store compares it with what arrived, and keeps nothing else.
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        with self._said(name):
            self.bucket.put_object(Key=kept, Body=body, ContentMD5=digest, **self._get_write_parameters(kept))
        return name

    @contextmanager
    def _said(self, name: str) -> Iterator[None]:
        """Failures in our words."""
        try:
            yield
        except ClientError as error:
            raise self._refusal(name, _code(error)) from error
        except (BotoCoreError, Boto3Error) as error:
            raise StorageUnavailable(
                f"{name}: the {self.title} does not answer ({type(error).__name__}). Start it, and see that "
                "S3_ENDPOINT names it; nothing that was stored is lost."
            ) from error

    def _refusal(self, name: str, code: str) -> OSError:
        if code in MISSING:
            return FileNotFoundError(errno.ENOENT, f"There is no such file in the {self.title}", name)
        if code in FULL:
            return StorageFull(f"{name}: the {self.title} is full. Make room in it, or raise its quota.")
        if code == "NoSuchBucket":
            return StorageUnavailable(
                f"{name}: there is no {self.title}. Make it with manage.py make_bucket, or correct S3_BUCKET."
            )
        if code in KEYS_REFUSED:
            return StorageUnavailable(
                f"{name}: the {self.title} refuses our keys ({code}). Correct S3_ACCESS_KEY and S3_SECRET_KEY, or let "
                "them read, write, delete and list."
            )
        return StorageUnavailable(f"{name}: the {self.title} answers {code}. Its own log says why; try again later.")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
