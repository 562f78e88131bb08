"""The pages of a study that other parts of the site make, in the order of a study's life."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotation_site.research.pages import address
from annotation_site.studies.models import Study


@dataclass(frozen=True)
class Link:
    label: str | Promise
    text: str | Promise
    address: str


# A page is linked where the site has it, by the name of its address.
FOR_ALL = (
    ("research-registrations", _("Preregistration"), _("What the study is to be, frozen before its data")),
    ("research-preview", _("Preview"), _("What raters see; nothing is stored")),
    ("report", _("Report"), _("What the answers say, with every figure and table")),
    ("report-live", _("Live"), _("Places, pace, raters, items to look at")),
    ("research-alerts", _("Alerts"), _("Mails when the study needs you, and what was noticed")),
    ("report-deviations", _("Deviations"), _("What differs from the preregistration, since when and by whom")),
    ("analyses", _("Analyses"), _("Of the images and their maps, without raters")),
)
FOR_RESEARCHERS = (
    ("research-about", _("What raters are told"), _("Who runs the study, whom to ask, how long it takes")),
    ("recruitment", _("Recruitment"), _("Where raters come from, and the links they come by")),
    ("payments", _("Payments"), _("What raters are owed, and what was paid")),
    ("report-exclusions", _("Exclusions"), _("Whom the study's own rules take out")),
    ("research-members", _("Members"), _("Who runs and who reads this study")),
    ("research-copy", _("Copy"), _("A new draft with the same settings")),
)
DOWNLOADS = (
    ("report-export", _("Export"), _("All data, with their description; images and maps by a command")),
    ("report-json", _("Report as JSON"), _("Every number of the report")),
)


ROWS = (
    ("raters", _("Raters"), _("Who rates; excluding, restoring, taking back places")),
    ("items", _("Items"), _("What is asked; withdrawing and putting back")),
)


def links(study: Study, *, may_run: bool) -> list[Link]:
    named = [*FOR_ALL, *DOWNLOADS, *(FOR_RESEARCHERS if may_run else ())]
    found = [Link(label, text, address(name, study.slug)) for name, label, text in named]
    found += [Link(label, text, address("research-rows", study.slug, things)) for things, label, text in ROWS]
    return [link for link in found if link.address]
