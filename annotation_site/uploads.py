"""How much one request may send: said before anything of it is read."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler


class LimitedUpload(FileUploadHandler):
    """Refuses a request that announces more than ``UPLOAD_MEGABYTES``; stands before the handlers that keep files."""

    def handle_raw_input(
        self,
        input_data: Any,
        meta: Any,
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        if content_length > settings.UPLOAD_MEGABYTES << 20:
            raise RequestDataTooBig(f"{content_length} bytes were sent, and {settings.UPLOAD_MEGABYTES} MB are read.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
