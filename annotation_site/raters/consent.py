"""What raters agree to: a study's own text, or Attest's."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import Promise

from annotation_site.studies.consent_texts import CONSENT_TEXTS
from annotation_site.studies.models import ConsentText, Study
from annotation_site.studies.texts import in_language, paragraphs


@dataclass(frozen=True)
class Consent:
    """One version as a rater reads it; ``row`` is the study's own text, None for one of Attest's."""

    version: str
    paragraphs: list[str | Promise]
    row: ConsentText | None = None


def consent_of(study: Study, locale: str) -> Consent:
    """What the study's next raters agree to: its own text of its version, in their language or in English.

    Without one, Attest's text of that version. Nobody may agree to a version that has no text.
    """
    own = {row.locale: row for row in study.consent_texts.filter(version=study.consent_version)}
    row = in_language(own, locale) or next(iter(own.values()), None)
    if row is not None:
        return Consent(row.version, list(paragraphs(row.text)), row)
    return Consent(study.consent_version, consent_text(study.consent_version))


def consent_text(version: str) -> list[str | Promise]:
    """The paragraphs of one version; nobody may agree to a version that has no text."""
    try:
        return CONSENT_TEXTS[version]
    except KeyError:
        known = ", ".join(CONSENT_TEXTS)
        raise ImproperlyConfigured(
            f"Consent version {version!r} has no text (known: {known}): set the study to a known one, "
            "or give the study a text of it."
        ) from None
