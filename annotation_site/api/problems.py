"""Errors as problem details (RFC 9457): what is wrong, and what to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from drf_spectacular.utils import OpenApiResponse
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from annotation_site.api.parsing import TooLarge
from annotation_site.api.serializers import ProblemSerializer

MEDIA_TYPE = "application/problem+json"


def problems(*codes: int) -> dict[Any, OpenApiResponse]:
    """The errors that an operation may answer with, as the schema says them."""
    return {(code, MEDIA_TYPE): OpenApiResponse(ProblemSerializer) for code in codes}


class Conflict(APIException):
    """The request is well formed, but what is stored, or the study's state, stands against it."""

    status_code = status.HTTP_409_CONFLICT


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an error: status, title, detail, and for wrong fields what is wrong with each."""
    if isinstance(error, Http404):
        error = NotFound(str(error) or None)
    if isinstance(error, RequestDataTooBig):
        error = TooLarge("More was sent than is read: send less.")
    response = exception_handler(error, context)
    if response is None or not isinstance(error, APIException):
        return response
    code = response.status_code
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(code).phrase, "status": code}
    if isinstance(error, ValidationError):
        body |= {"detail": "Some fields are wrong; “errors” says which, and why.", "errors": _by_field(error.detail)}
    else:
        body["detail"] = str(error.detail)
    response.data = body
    response.content_type = MEDIA_TYPE
    return response


def _by_field(detail: Any) -> dict[str, list[str]]:
    if not isinstance(detail, dict):
        return {"non_field_errors": [str(line) for line in detail]}
    return {name: _lines(value) for name, value in detail.items()}


def _lines(value: Any) -> list[str]:
    """The messages of a field, those of its parts with the part's name."""
    if isinstance(value, dict):
        return [f"{part}: {line}" for part, lines in value.items() for line in _lines(lines)]
    if isinstance(value, list):
        return [line for part in value for line in _lines(part)]
    return [str(value)]
