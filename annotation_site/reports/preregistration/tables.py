"""What a registration holds, as tables of names and values for a page; the items stand in its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotation_site.reports.preregistration.labels import label, said

TITLES: dict[str, str | Promise] = {
    "study": _("The study"),
    "wording": _("What raters read"),
    "consent": _("Consent"),
    "about": _("What raters are told of the study"),
    "way": _("The way of a rater"),
    "assignment": _("Who judges what"),
    "exclusions": _("Exclusions"),
    "analysis": _("Analyses"),
    "recruiting": _("Recruitment"),
    "pay": _("Pay"),
    "sample": _("Sample size"),
    "sampling": _("How items were drawn"),
    "recipes": _("Recipes"),
    "software": _("Software"),
}


@dataclass(frozen=True)
class Part:
    title: str | Promise
    rows: list[tuple[str, str]]


def parts(document: dict[str, Any]) -> list[Part]:
    """Its sections with their settings; a section without any is left out."""
    content = document["content"]
    found = [(section, title, content[section]) for section, title in TITLES.items()]
    return [Part(title, [_row(section, *each) for each in held.items()]) for section, title, held in found if held]


def _row(section: str, name: str, value: Any) -> tuple[str, str]:
    return (name[:12] if section == "recipes" else label(section, name)), said(section, value)
