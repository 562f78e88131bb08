"""The documentation as data: its pages, their fenced blocks, the shell's commands in these, links and headings."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    str(path.relative_to(ROOT))
    for path in (
        ROOT / "README.md",
        *sorted(ROOT.glob("docs/*.md")),
        *sorted(ROOT.glob("docs/decisions/*.md")),
        *sorted(ROOT.glob("fixtures/*/README.md")),
    )
]
FENCED = re.compile(r"^(?P<indent> *)```(?P<language>\S*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
LANGUAGES = {"sh", "python", "json", "yaml", "ini", "text"}
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, the number of its first line, its language and its text."""

    page: str
    line: int
    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """One command of a shell's block, with continued lines joined and with its here-document."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> Iterator[Block]:
    text = read(page)
    for found in FENCED.finditer(text):
        line = text.count("\n", 0, found.start("text")) + 1
        yield Block(page, line, found["language"], textwrap.dedent(found["text"]))


def commands(page: str) -> Iterator[Command]:
    """The commands of a page's shell blocks, in order."""
    for block in blocks(page):
        if block.language == "sh":
            yield from _commands(block)


def _commands(block: Block) -> Iterator[Command]:
    lines = iter(enumerate(block.text.splitlines(), start=block.line))
    for number, text in lines:
        if not text.strip() or text.startswith("#"):
            continue
        while text.endswith("\\"):
            text = text[:-1].rstrip() + " " + next(lines)[1].strip()
        end = re.search(r"<<(\w+)$", text)
        while end and not text.endswith(f"\n{end[1]}"):
            text += "\n" + next(lines)[1]
        yield Command(block.page, number, text)


def prose(page: str) -> str:
    """The page without its fenced blocks."""
    return FENCED.sub("", read(page))


def spans(page: str) -> list[str]:
    """The code spans of the prose; one may go on in the next line."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(page))]


def links(page: str) -> list[str]:
    return LINK.findall(prose(page))


def anchors(page: str) -> set[str]:
    """The names by which a page's headings are linked to."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
