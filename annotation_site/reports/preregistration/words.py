"""A registration as text for people: what it says of itself, then the questions that registries ask, in Markdown."""

from __future__ import annotations

from typing import Any

from django.utils import translation

from annotation_site.reports.preregistration.labels import label, said, shown
from annotation_site.reports.preregistration.registering import document_of
from annotation_site.reports.preregistration.statements import STATEMENTS
from annotation_site.reports.rule_text import rule_text
from annotation_site.studies.models import Registration

Lines = list[str]
NOTHING_SAID = "*Nothing was stated.*"
ITEM_COLUMNS = ("position", "purpose", "tag", "condition", "word", "prompt", "second_prompt", "arm", "seed", "recipe")


def in_words(registration: Registration) -> str:
    """The whole registration, in English whatever the page's language is."""
    with translation.override("en"):
        return "\n".join([*_front(registration), *_sections(document_of(registration))]) + "\n"


def _front(registration: Registration) -> Lines:
    document = document_of(registration)
    said, study = document["registration"], document["content"]["study"]
    name = f"{study['slug']}-preregistration-{said['number']}.json"
    programs = said["judgements_of_programs"]
    return [
        f"# Preregistration of “{shown(study['title'])}”",
        "",
        f"Version {said['number']}, registered {said['registered_at']} by the server's clock. **{said['said']}**"
        + (f" Programs had given {programs} answers, which count nowhere." if programs else ""),
        "",
        f"SHA-256 `{registration.sha256}`: what `sha256sum {name}` prints. That file is what was registered; this text "
        "is written from it.",
        "",
    ]


def _sections(document: dict[str, Any]) -> Lines:
    content, stated = document["content"], document["statements"]
    parts: list[tuple[str, Lines]] = [
        ("Have any data been collected?", [document["registration"]["said"]]),
        ("Hypotheses", _quoted(stated["hypotheses"])),
        ("What is measured", _measured(content)),
        ("Conditions and procedure", [*_conditions(content), *_settings(content, "way")]),
        ("Analyses", [*_settings(content, "analysis"), "", *_asked("analyses", stated)]),
        ("Exclusions", [*_rules(content), "", *_asked("exclusions", stated)]),
        ("Sample size and stopping", [*_sample(content), "", *_asked("sample", stated)]),
        ("Recruitment and pay", [*_each(content, "recruiting"), *_settings(content, "pay")]),
        ("Stimuli", [*_each(content, "sampling"), *_recipes(content)]),
        ("What raters read", [*_texts(content), *_settings(content, "about")]),
        ("Software", _each(content, "software")),
        ("Anything else", _quoted(stated["other"])),
        ("Items", _items(content)),
    ]
    return [line for title, lines in parts for line in (f"## {title}", "", *lines, "")]


def _quoted(text: str) -> Lines:
    """What the researchers wrote, set apart from what the system writes."""
    return [f"> {line}".rstrip() for line in text.split("\n")] if text else [NOTHING_SAID]


def _asked(name: str, stated: dict[str, str]) -> Lines:
    return [f"*{STATEMENTS[name][0]}*", "", *_quoted(stated[name])]


def _settings(content: dict[str, Any], section: str) -> Lines:
    return [f"- {label(section, name)}: {said(section, value)}" for name, value in content[section].items()]


def _each(content: dict[str, Any], section: str) -> Lines:
    """The settings of a section that may have none."""
    return _settings(content, section) or [f"- {section}: none"]


def _measured(content: dict[str, Any]) -> Lines:
    questions = content["wording"]["question"]
    answers = content["wording"]["answers"]
    return [
        f"- {label('study', 'kind')}: {content['study']['kind']}",
        *(f"- In {locale}: “{shown(text)}” {shown(answers[locale])}" for locale, text in questions.items()),
    ]


def _conditions(content: dict[str, Any]) -> Lines:
    sample = content["sample"]
    return [
        f"- Items by group: {shown(sample['groups'])}",
        f"- Items by arm: {shown(sample['arms'])}",
        "- Every rater may meet every item; items are handed out in rounds from a random place, their groups "
        "interleaved, and raters are not told whose map they see.",
    ]


def _rules(content: dict[str, Any]) -> Lines:
    return [f"- {rule_text(rule)}" for rule in content["exclusions"]["rules"]] or ["- No rule."]


def _sample(content: dict[str, Any]) -> Lines:
    sample, most = content["sample"], content["sample"]["most_judgements"]
    more = f", up to {most} where raters divide" if most > sample["judgements"] else ""
    planned = f"- {sample['items']} items, {sample['judgements']} answers that count are wanted{more}."
    return [planned, *_settings(content, "assignment")]


def _recipes(content: dict[str, Any]) -> Lines:
    return [f"- Recipe `{digest[:12]}`: {shown(recipe)}" for digest, recipe in content["recipes"].items()]


def _texts(content: dict[str, Any]) -> Lines:
    own, consent = content["wording"]["instructions"], content["consent"]["text"]
    lines = [
        f"- Instructions in {locale}: {shown(text) if text else 'those of Attest'}" for locale, text in own.items()
    ]
    return [*lines, *(f"- Consent, {name}: {shown(text)}" for name, text in consent.items())]


def _items(content: dict[str, Any]) -> Lines:
    rows = [f"| {' | '.join(_cell(item, name) for name in ITEM_COLUMNS)} |" for item in content["items"]]
    return [f"| {' | '.join(ITEM_COLUMNS)} |", f"|{' --- |' * len(ITEM_COLUMNS)}", *rows]


def _cell(item: dict[str, Any], name: str) -> str:
    value = item.get(name, "")
    return shown(value[:12] if name == "recipe" else value).replace("|", "\\|")
