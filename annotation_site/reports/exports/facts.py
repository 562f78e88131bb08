"""What an export says of a study beside its rows: ``study.json``, which every text of the export is written from."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from django.forms.models import model_to_dict

from annotation_site.reports.exports.tables import as_text
from annotation_site.reports.loading import facts_of
from annotation_site.reports.wording import WAY, wording
from annotation_site.stimuli.models import Recipe
from annotation_site.studies.models import Study

FORMAT = 1


def study_facts(study: Study) -> dict[str, Any]:
    """Everything known of the study that may be published, as plain JSON values; no time of export is in it."""
    moments = {name: getattr(study, name) for name in ("created_at", "opened_at", "closed_at")}
    return {
        "format": FORMAT,
        "facts": asdict(facts_of(study)),
        "moments": {name: as_text(moment) if moment else None for name, moment in moments.items()},
        "rules": {
            "raters_an_item": study.seats_per_item,
            "largest_share_of_a_rater": study.cap_share,
            "consent_version": study.consent_version,
            **model_to_dict(study, fields=WAY),
        },
        "sampling": study.sampling,
        "recipes": [_recipe(recipe) for recipe in _recipes(study)],
        "texts": shown_texts(study),
        "consent": {
            f"{text.version} {text.locale}": text.text for text in study.consent_texts.order_by("version", "locale")
        },
    }


def _recipes(study: Study) -> list[Recipe]:
    return list(Recipe.objects.filter(generations__items__study=study).distinct().order_by("digest"))


def _recipe(recipe: Recipe) -> dict[str, Any]:
    return asdict(recipe.record()) | {
        "model_title": recipe.model_title,
        "trained": recipe.trained,
        "imported": recipe.imported,
    }


def shown_texts(study: Study) -> dict[str, dict[str, Any]]:
    """Question, answers and instructions as raters read them, by language."""
    locales = Counter(study.enrolments.values_list("locale", flat=True))
    named = sorted({"en"} | set(study.texts) | {locale for locale in locales if locale})
    return {locale: wording(study, locale) for locale in named}
