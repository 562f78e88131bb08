"""Writes the Python client of the API, one file, from the OpenAPI document: types, a method an operation, no more."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RUNTIME = Path(__file__).with_name("client_runtime.txt")
WIDTH = 120
KEY, MATCH = "Idempotency-Key", "If-Match"
HEAD = '''"""A client of Attest's API. Written by `manage.py api_client` from the site's OpenAPI document: do not edit.

    with Attest("https://attest.example.org", "attest_...") as attest:
        for study in attest.iter_studies(state="open"):
            print(study["slug"], attest.get_progress(study["slug"])["places"])

It needs Python 3.11 and httpx. Lists have two methods: ``list_...`` gives a page, ``iter_...`` every row. Requests are
repeated when the site says "later" (429, 503), and lost ones where that is safe. Errors are ApiError.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NotRequired, Self, TypedDict
from urllib.parse import quote

import httpx

'''
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


def client_source(schema: dict[str, Any]) -> str:
    """The client's source; equal documents give equal text."""
    parts = schema["components"]["schemas"]
    choices = [_choice(name, part) for name, part in sorted(parts.items()) if "enum" in part]
    classes = [_class(name, part) for name, part in sorted(parts.items()) if part.get("type") == "object"]
    methods = "\n".join(text for operation in _operations(schema) for text in _methods(operation, parts))
    opening = 'class Attest(Connection):\n    """The site at an address, as whom the token stands for."""\n\n'
    return (
        HEAD
        + "\n"
        + RUNTIME.read_text(encoding="utf-8")
        + "\n\n"
        + "\n".join(choices)
        + "\n\n\n"
        + "\n\n".join(classes)
        + "\n\n\n"
        + opening
        + methods
    )


def _choice(name: str, part: dict[str, Any]) -> str:
    return _broken(f"{name} = Literal[", [_quoted(value) for value in part["enum"]], "]")


def _class(name: str, part: dict[str, Any]) -> str:
    required = set(part.get("required", []))
    lines = [_field(key, field, key in required) for key, field in part.get("properties", {}).items()]
    said = _docstring(part.get("description", ""), "    ")
    return f"class {name}(TypedDict):\n{said}" + "\n".join(lines) + "\n"


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _field(name: str, field: dict[str, Any], required: bool) -> str:
    kind = _type(field)
    return f"    {name}: {kind if required else f'NotRequired[{kind}]'}"


def _type(schema: dict[str, Any]) -> str:
    kind = _plain_type(schema)
    return f"{kind} | None" if schema.get("nullable") and not kind.endswith("None") else kind


def _plain_type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for several in ("allOf", "oneOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_type(each) for each in schema[several]))
    if "enum" in schema:
        return f"Literal[{', '.join(map(_quoted, schema['enum']))}]"
    if schema.get("type") == "array":
        return f"list[{_type(schema['items'])}]"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return f"dict[str, {_type(inner) if isinstance(inner, dict) and inner else 'Any'}]"
    return PLAIN.get(schema.get("type", ""), "Any")


def _operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield {"path": path, "method": method.upper(), **operation}


def _methods(operation: dict[str, Any], parts: dict[str, Any]) -> Iterator[str]:
    """The operation's method; for a list also the one that goes through all of its pages."""
    reply = _reply(operation)
    name = _name(operation["operationId"])
    yield _method(operation, name, reply, paged=False)
    rows = parts.get(reply, {}).get("properties", {}).get("results")
    if rows is not None and {"next", "results"} <= set(parts[reply]["properties"]):
        yield _method(operation, name.replace("list_", "iter_", 1), f"Iterator[{_type(rows['items'])}]", paged=True)


def _method(operation: dict[str, Any], name: str, reply: str, *, paged: bool) -> str:
    parameters = operation.get("parameters", [])
    query = [each for each in parameters if each["in"] == "query" and not (paged and each["name"] == "cursor")]
    headers = {each["name"] for each in parameters if each["in"] == "header"}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    takes = [f"{_argument(each['name'])}: {_type(each['schema'])}" for each in parameters if each["in"] == "path"]
    takes += [f"body: {_type(body)}"] if body else []
    options = [f"{each['name']}: {_type(each['schema'])} | None = None" for each in query]
    options += [option for header, option in OPTIONS.items() if header in headers]
    signature = _broken(f"    def {name}(", ["self", *takes, *(["*", *options] if options else [])], f") -> {reply}:")
    text = " ".join(f"{operation.get('summary', '')}. {operation.get('description', '')}".split())
    scope = operation.get("x-scope")
    said = _docstring(f"{text} Scope: {scope}." if scope else text, "        ")
    return f"{signature}\n{said}{_body(operation, query, headers, body, reply, paged=paged)}"


OPTIONS = {KEY: "idempotency_key: str | None = None", MATCH: "if_match: str | None = None"}


def _body(operation: dict[str, Any], query: list[Any], headers: set[str], body: Any, reply: str, *, paged: bool) -> str:
    path = re.sub(r"{(\w+)}", lambda found: f"{{quote(str({_argument(found[1])}), safe='')}}", operation["path"])
    where = f'f"{path}"' if "{" in path else f'"{path}"'
    lines = [f"path = {where}"]
    asked = "{" + ", ".join(f'"{each["name"]}": {each["name"]}' for each in query) + "}"
    if paged:
        return _indented([*lines, _broken_call(["path", asked], "return self._pages(")])
    arguments = [f'"{operation["method"]}"', "path"]
    arguments += [f"query={asked}"] if query else []
    arguments += ["body=body"] if body else []
    said = [value for header, value in HEADERS.items() if header in headers]
    arguments += [f"headers={{{', '.join(said)}}}"] if said else []
    if reply == "None":
        return _indented([*lines, _broken_call(arguments, "self._call(")])
    return _indented([*lines, _broken_call(arguments, f"found: {reply} = self._call("), "return found"])


HEADERS = {
    KEY: f'"{KEY}": idempotency_key or str(uuid.uuid4())',
    MATCH: f'"{MATCH}": self._tag(path, if_match)',
}


def _reply(operation: dict[str, Any]) -> str:
    for code, reply in operation["responses"].items():
        if code.startswith("2") and reply.get("content"):
            return _type(next(iter(reply["content"].values()))["schema"])
    return "None"


def _argument(name: str) -> str:
    """The number of a seat is the one path parameter that is called plainly id."""
    return "seat" if name == "id" else name


def _name(operation: str) -> str:
    return {"study": "about_study", "own": "own_progress"}.get(operation, operation)


def _broken_call(arguments: list[str], opening: str) -> str:
    return _broken(opening, arguments, ")", indent=" " * 8).removeprefix(" " * 8)


def _broken(opening: str, arguments: list[str], closing: str, indent: str | None = None) -> str:
    """On one line where it fits, else an argument a line."""
    start = indent or ""
    line = f"{start}{opening}{', '.join(arguments)}{closing}"
    if len(line) <= WIDTH:
        return line
    margin = start or re.match(" *", opening)[0]  # type: ignore[index]
    inner = "\n".join(f"{margin}    {each}," if each != "*" else f"{margin}    *," for each in arguments)
    return f"{start}{opening}\n{inner}\n{margin}{closing}"


def _docstring(text: str, indent: str) -> str:
    text = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    if not text:
        return ""
    lines = textwrap.wrap(text, WIDTH - len(indent) - 6)
    return f'{indent}"""' + f"\n{indent}".join(lines) + '"""\n' + ("\n" if len(indent) == 4 else "")


def _indented(lines: list[str]) -> str:
    return "\n".join(f"        {line}" for line in lines) + "\n"
