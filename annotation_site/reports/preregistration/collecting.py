"""All that is settled of a study before its data, as plain values: what is registered, and what it is compared with.

Nothing here hangs on a database's own keys, on who asks, or on what was answered: one study gives one content.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.forms.models import model_to_dict
from django.utils import translation

from annotation_site.payments.accounts import schemes_of
from annotation_site.raters.consent import consent_of
from annotation_site.raters.source_rows import Source
from annotation_site.recruitment.models import ProlificStudy
from annotation_site.reports.preregistration.canonical import plain
from annotation_site.reports.preregistration.plan import analysis
from annotation_site.reports.preregistration.software import versions
from annotation_site.reports.preregistration.stimuli import items, recipes, sample
from annotation_site.reports.wording import WAY, wording
from annotation_site.studies.models import Study

# Who runs a study and where to write to stays out: registrations are shown to blind reviewers.
ABOUT = ("ethics_board", "ethics_number", "expected_minutes", "data_kept", "listed")
# Codes are for raters alone, and whose hand made a version is not the public's.
SOURCE = ("kind", "paid_by", "cap", "parameters", "signed", "smallest_width")
PANEL = ("reward", "currency", "places", "minutes", "devices", "screen_out_reward", "screen_out_slots")
LEFT_OUT_OF_PAY = ("id", "study", "made_at", "made_by")


def content(study: Study) -> dict[str, Any]:
    """The study by section, as canonical JSON holds it."""
    rest = {
        "recruiting": _sources(study),
        "pay": _pay(study),
        "sampling": study.sampling,
        "sample": sample(study),
        "recipes": recipes(study),
        "items": items(study),
        "software": versions(),
    }
    return settings_of(study) | dict(plain(rest))


def settings_of(study: Study) -> dict[str, Any]:
    """The sections that hang on the study's own fields and on the texts of its consent."""
    return dict(plain({
        "study": model_to_dict(study, fields=("slug", "title", "kind", "stimuli_access")),
        "wording": _wording(study),
        "consent": _consent(study),
        "about": model_to_dict(study, fields=ABOUT),
        "way": model_to_dict(study, fields=WAY),
        "assignment": {
            "seats_per_item": study.seats_per_item,
            "cap_share": study.cap_share,
            "cap": study.cap,
            "lease_minutes": study.lease_minutes,
            "adaptive_stages": study.adaptive_stages,
            "adaptive_spread": study.adaptive_spread,
        },
        "exclusions": {"rules": study.exclusion_rules},
        "analysis": analysis(study),
    }))  # fmt: skip


def locales(study: Study) -> list[str]:
    """The site's languages and those that the study has words for."""
    return sorted({code for code, _name in settings.LANGUAGES} | set(study.texts))


def _wording(study: Study) -> dict[str, dict[str, Any]]:
    """What raters read, by part and language."""
    shown = {locale: wording(study, locale) for locale in locales(study)}
    return {part: {locale: shown[locale][part] for locale in shown} for part in ("question", "answers", "instructions")}


def _consent(study: Study) -> dict[str, Any]:
    shown: dict[str, Any] = {"version": study.consent_version}
    for locale in locales(study):
        with translation.override(locale):
            shown[locale] = _paragraphs(study, locale)
    return {"text": shown}


def _paragraphs(study: Study, locale: str) -> list[str]:
    """None where a draft names a version whose text was deleted: it does not open before that is written anew."""
    try:
        return [str(paragraph) for paragraph in consent_of(study, locale).paragraphs]
    except ImproperlyConfigured:
        return []


def _sources(study: Study) -> dict[str, Any]:
    panels = {panel.source_id: panel for panel in ProlificStudy.objects.filter(source__study=study)}
    return {source.name: _source(source, panels.get(source.pk)) for source in Source.objects.filter(study=study)}


def _source(source: Source, panel: ProlificStudy | None) -> dict[str, Any]:
    known = model_to_dict(source, fields=SOURCE)
    return known | ({"prolific": model_to_dict(panel, fields=PANEL)} if panel else {})


def _pay(study: Study) -> dict[str, Any]:
    """The scheme in force, in the currency's minor unit; empty where none was set."""
    schemes = schemes_of(study)
    return {"scheme": model_to_dict(schemes[-1], exclude=LEFT_OUT_OF_PAY) if schemes else {}}
