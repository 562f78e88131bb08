"""docker-compose.yml, read as compose reads it: anchors merged, variables put in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


def text() -> str:
    return (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def services() -> dict[str, dict[str, Any]]:
    return yaml.safe_load(text())["services"]


def filled(value: str, variables: dict[str, str]) -> str:
    """``${NAME}``, ``${NAME:-default}`` and ``${NAME:?what to set}`` replaced; the last raises KeyError if unset."""

    def put(found: re.Match[str]) -> str:
        name, kind = found["name"], found["kind"]
        if kind == "-":
            return variables.get(name) or found["rest"]
        return variables[name]

    return VARIABLE.sub(put, value)


def environment(service: str, variables: dict[str, str]) -> dict[str, str]:
    return {name: filled(value, variables) for name, value in services()[service]["environment"].items()}
