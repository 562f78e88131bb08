"""Bodies that are longer than Django reads by itself."""

from __future__ import annotations

from typing import IO, Any

from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser, JSONParser


class TooLarge(APIException):
    """More was sent than the operation reads."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class StudyParser(BaseParser):
    """JSON of a study with its stimuli; the most that may be made, with captions as long as COCO's, have half of this.

    The proxy lets as much through (operations/Caddyfile). No kind of JSONParser: what such a one gets is read by way of
    ``body``, which has Django's limit for forms.
    """

    media_type = "application/json"
    largest = 64 << 20

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: dict[str, Any] | None = None
    ) -> Any:
        # No more is read than was announced.
        announced = int((parser_context or {})["request"].META["CONTENT_LENGTH"])
        if announced > self.largest:
            raise TooLarge(f"{announced} bytes were sent, and at most {self.largest} are read.")
        return JSONParser().parse(stream, media_type, parser_context)
