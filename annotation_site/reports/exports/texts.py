"""The texts of an export: what is known is filled in, and what only the researchers know is left for them, marked.

The data statement follows the headings of E. M. Bender and B. Friedman, "Data Statements for Natural Language
Processing", TACL 6 (2018); the datasheet the sections of T. Gebru et al., "Datasheets for Datasets", CACM 64:12 (2021).
"""

from __future__ import annotations

import json
from typing import Any

from annotation_site.reports.data import FATES
from annotation_site.reports.exports.columns import TABLES
from annotation_site.reports.exports.counts import Tally
from annotation_site.reports.exports.datasheet import data_statement, datasheet

KINDS = {
    "likert": "ratings of how well word heat maps explain generated images",
    "presence": "answers about which of two objects are present in generated images",
    "change": "answers about what changes in generated images with one adjective",
}
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
WHY = {
    "counted": "counted by reports",
    "superseded": "corrected by the rater's own later revision",
    "surplus": "came after somebody else had taken the place",
    "simulated": "given by a program",
    "withdrawn": "on an item that was taken out of the study",
    "excluded": "by a rater who was excluded",
}


def documents(facts: dict[str, Any], tally: Tally, *, licence: str, url: str, images: bool) -> dict[str, str]:
    """Contents by file name."""
    return {
        "README.md": readme(facts, tally, licence=licence, url=url, images=images),
        "INSTRUCTIONS.md": instructions(facts),
        "DATA_STATEMENT.md": data_statement(facts, tally, description(facts, tally), url=url),
        "DATASHEET.md": datasheet(facts, tally, description(facts, tally), licence=licence),
        "exclusions.json": exclusions(facts, tally),
    }


def description(facts: dict[str, Any], tally: Tally) -> str:
    """What the data is, in two sentences."""
    named = facts["facts"]
    models = ", ".join(recipe["model_title"] or recipe["model"] for recipe in facts["recipes"])
    return (
        f"Human judgements of the study “{named['title']}”: {tally.judgements} {KINDS[named['kind']]}, of which "
        f"{tally.fates['counted']} count, by {_people(tally)} on {tally.items} items ({tally.images} images"
        f"{f' by {models}' if models else ''}). Collected with Attest; {named['raters_an_item']} raters an item."
    )


def _people(tally: Tally) -> str:
    number = sum(count > 0 for count in tally.counted.values())
    return f"{number} {'rater' if number == 1 else 'raters'}"


def readme(facts: dict[str, Any], tally: Tally, *, licence: str, url: str, images: bool) -> str:
    """The dataset card: YAML that the Hugging Face hub reads, then words for people."""
    named = facts["facts"]
    return "\n".join(
        [
            *_front_matter(named, tally, licence),
            f"# {one_line(named['title'])}",
            "",
            description(facts, tally),
            "",
            *([f"Published at <{url}>.", ""] if url else []),
            *_files(images=images),
            "",
            "## What counts",
            "",
            "Every stored judgement is in `judgements`, counted or not; `fate` says why not. Raters are pseudonyms.",
            "",
            "| fate | judgements | meaning |",
            "| --- | ---: | --- |",
            *(f"| {fate} | {tally.fates[fate]} | {WHY[fate]} |" for fate in reversed(FATES)),
            "",
            *(line for name, fields in TABLES.items() for line in _columns(name, fields)),
        ]
    )


def _front_matter(named: dict[str, Any], tally: Tally, licence: str) -> list[str]:
    low = [0, *(size for size in SIZES if size <= tally.judgements)][-1]
    high = next((size for size in SIZES if size > tally.judgements), None)
    size = f"n<{_short(SIZES[0])}" if not low else f"{_short(low)}<n<{_short(high)}" if high else f"n>{_short(low)}"
    lines = ["---", f"pretty_name: {json.dumps(one_line(named['title']), ensure_ascii=False)}"]
    lines += [f"license: {json.dumps(licence.lower()) if licence else 'unknown'}", "language:", "- en"]
    lines += ["tags:", "- human-evaluation", "- text-to-image", "- croissant", "size_categories:", f"- {size}"]
    lines += ["configs:"]
    for name in TABLES:
        lines += [f"- config_name: {name}", "  data_files:", "  - split: train", f"    path: data/{name}.parquet"]
        lines += ["  default: true"] if name == "judgements" else []
    return [*lines, "---", ""]


def _short(number: int | None) -> str:
    if number is None:
        return ""
    return f"{number // 1_000_000}M" if number >= 1_000_000 else f"{number // 1000}K"


def _files(*, images: bool) -> list[str]:
    pictures = [
        "| `images/` | the images, by identity |",
        "| `maps/` | each image's heat maps of all words (NumPy `.npz` with a `.json` that names the words' tokens); "
        "`maps/shown/` maps of other methods |",
    ]
    return [
        "## Files",
        "",
        "| file | what it is |",
        "| --- | --- |",
        "| `data/*.parquet`, `*.csv` | the tables below; the CSV with an apostrophe before text that a spreadsheet "
        "would run as a formula |",
        "| `items.jsonl` | an item a line, with all its answers and what follows from them |",
        "| `study.json` | the study's rules, texts, recipes and sampling |",
        "| `INSTRUCTIONS.md` | what raters read |",
        "| `as-shown/` | instructions and an item as raters saw them: pages that need nothing else |",
        "| `preregistration/` | where the study was preregistered: what was hashed, the same in words, and what has "
        "deviated since |",
        "| `exclusions.json` | whose answers are left out, by reason |",
        "| `croissant.json` | Croissant 1.0 metadata |",
        "| `DATA_STATEMENT.md`, `DATASHEET.md` | the known parts filled in |",
        *(pictures if images else ["| - | images and maps were left out of this export |"]),
        "| `CHECKSUMS` | SHA-256 of every file: `sha256sum --check CHECKSUMS` |",
    ]


def _columns(name: str, fields: tuple[Any, ...]) -> list[str]:
    rows = [f"| `{field.name}` | {field.type} | {field.meaning} |" for field in fields]
    return [f"## Table `{name}`", "", "| column | type | meaning |", "| --- | --- | --- |", *rows, ""]


def instructions(facts: dict[str, Any]) -> str:
    """Question, answers and instructions as raters read them, by language."""
    lines = ["# What raters read", ""]
    for locale, shown in facts["texts"].items():
        lines += [f"## In {locale}", "", f"> {one_line(shown['question'])}", ""]
        lines += [*(f"- {one_line(answer)}" for answer in shown["answers"]), ""]
        if facts["facts"]["kind"] == "presence":
            lines += ["Each of the two nouns could be ticked.", ""]
        lines += [line for paragraph in shown["instructions"] for line in (paragraph, "")]
    for version, text in facts["consent"].items():
        lines += [f"## Consent, version {version}", "", text.strip(), ""]
    return "\n".join(lines)


def exclusions(facts: dict[str, Any], tally: Tally) -> str:
    """The study's exclusion rules, and how many raters and judgements each reason took out."""
    named = facts["facts"]
    content = {
        "rules": named["rules"],
        "raters_by_reason": dict(sorted(tally.excluded.items())),
        "judgements_by_fate": {fate: tally.fates[fate] for fate in FATES},
        "items_withdrawn": tally.withdrawn,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def one_line(text: str) -> str:
    return " ".join(text.split())
