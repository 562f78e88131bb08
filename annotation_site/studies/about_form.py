"""The form of what people read about a study, for the wizard and for the study's own page."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.db import models

from annotation_site.studies.about import ABOUT, LONGEST_MINUTES
from annotation_site.studies.models import Study


def _field(name: str, **more: Any) -> forms.Field:
    field = cast("models.Field[Any, Any]", Study._meta.get_field(name))
    return cast("forms.Field", field.formfield(**more))


class AboutForm(forms.Form):
    """Every field may stay empty."""

    organisation = _field("organisation")
    contact = _field("contact")
    ethics_board = _field("ethics_board")
    ethics_number = _field("ethics_number")
    ethics_contact = _field("ethics_contact")
    expected_minutes = _field("expected_minutes", min_value=1, max_value=LONGEST_MINUTES)
    data_kept = _field("data_kept")
    listed = _field("listed")

    def store(self, study: Study) -> None:
        """Write these fields alone: what others changed of the study meanwhile stands."""
        for name in ABOUT:
            setattr(study, name, self.cleaned_data[name])
        study.save(update_fields=ABOUT)


def about(study: Study) -> dict[str, object]:
    return {name: getattr(study, name) for name in ABOUT}
