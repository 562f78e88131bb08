"""The schema as a page of plain HTML: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Every operation with its fields and replies."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    operations = list(_operations(schema))
    groups = [
        {**tag, "operations": [each for each in operations if tag["name"] in each["tags"]]} for tag in schema["tags"]
    ]
    return render(request, "api/docs.html", {"info": schema["info"], "groups": groups})


def _operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    parts = schema["components"]["schemas"]
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            yield {
                "id": operation["operationId"],
                "tags": operation["tags"],
                "scope": operation.get("x-scope", ""),
                "method": method.upper(),
                "path": path,
                "summary": operation.get("summary", ""),
                "description": operation.get("description", ""),
                "public": {} in operation.get("security", [{}]) or not operation.get("security"),
                "parameters": operation.get("parameters", []),
                "fields": list(_fields(body, parts)),
                "replies": [_reply(code, reply, parts) for code, reply in operation["responses"].items()],
            }


def _reply(code: str, reply: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    contents: list[dict[str, Any]] = list(reply.get("content", {}).values())
    fields = list(_fields(contents[0]["schema"], parts)) if contents and int(code) < 400 else []
    return {"code": code, "description": reply.get("description", ""), "fields": fields}


def _fields(schema: dict[str, Any], parts: dict[str, Any], prefix: str = "") -> Iterator[dict[str, Any]]:
    """Each field of an object, those of objects within it after it."""
    schema = _resolved(schema, parts)
    for name, field in schema.get("properties", {}).items():
        inner = _resolved(field, parts)
        kind = inner.get("type", "object")
        yield {
            "name": f"{prefix}{name}",
            "type": " or null".join([str(kind), *([""] if field.get("nullable") or inner.get("nullable") else [])]),
            "required": name in schema.get("required", []),
            "description": field.get("description", ""),
        }
        items = inner.get("items", {})
        yield from _fields(items if kind == "array" else inner, parts, f"{prefix}{name}.")


def _resolved(schema: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    for wrapper in ("allOf", "oneOf"):
        if wrapper in schema:
            schema = schema[wrapper][0]
    reference = schema.get("$ref")
    return parts[reference.rpartition("/")[2]] if reference else schema
