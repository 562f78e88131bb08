"""docs/architecture.md names functions, constraints and layers: all of them are there, where it says."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator

from django.apps import apps

from tests.documentation.pages import ROOT, read

PAGE = "docs/architecture.md"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    section = read(PAGE).split(f"## {heading}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[2:]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def defined(nodes: list[ast.stmt], outer: str = "") -> Iterator[str]:
    """The functions and classes of a file, with methods as ``Class.method``."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield outer + node.name
        if isinstance(node, ast.ClassDef):
            yield from defined(node.body, f"{node.name}.")


def test_each_step_of_both_walks_is_a_function_of_the_file():
    steps = [*rows("A caption becomes an item"), *rows("A click becomes a row, and then a figure")]
    assert len(steps) > 15
    for file, names, _ in steps:
        there = set(defined(ast.parse(read(quoted(file)[0])).body))
        assert set(quoted(names)) <= there, (file, names)


def test_what_holds_an_invariant_is_a_constraint_of_the_database():
    real = {constraint.name for model in apps.get_models() for constraint in model._meta.constraints}
    named = [name for _, held_by, _ in rows("What always holds, and what holds it") for name in quoted(held_by)]
    assert len(named) > 5
    assert set(named) <= real


def test_the_layers_are_those_that_the_linter_holds():
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    held = [re.findall(r"annotation_site\.(\w+)", layer) for layer in layers]
    assert [quoted(packages) for packages, _ in rows("The site's layers")] == held


def test_every_package_of_the_site_has_its_layer():
    packages = {path.parent.name for path in ROOT.glob("annotation_site/*/apps.py")}
    assert {name for packages, _ in rows("The site's layers") for name in quoted(packages)} == packages
