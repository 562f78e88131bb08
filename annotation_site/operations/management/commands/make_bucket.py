"""Makes the bucket of the object store."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError

from annotation_site.storage import StorageUnavailable


class Command(BaseCommand):
    help = "Make the bucket S3_BUCKET of the store at S3_ENDPOINT, unless it is there."

    def handle(self, *args: Any, **options: Any) -> None:
        store: Any = default_storage
        if not hasattr(store, "make_bucket"):
            raise CommandError("Files lie in the folder ATTEST_DATA: set S3_BUCKET to keep them in an object store.")
        try:
            made = store.make_bucket()
        except StorageUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The {store.title} {'is made' if made else 'was there already'}.")
