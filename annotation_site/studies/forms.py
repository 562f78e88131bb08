"""The admin's form of a study: its own texts as a field for each part and language."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.forms.models import ModelFormMetaclass
from unfold.widgets import UnfoldAdminTextareaWidget

from annotation_site.studies.text_parts import PARTS, RATINGS

HELP = {
    "question": "Empty: Attest's question.",
    "anchors": "The words of the five answers, worst first, one a line. Empty: Bad to Excellent.",
    "instructions": "Paragraphs with an empty line between them. Empty: Attest's instructions.",
}
OWN_HELP = {
    "title": "Raters and readers of reports see it.",
    "slug": "The study's part of every address: letters, digits, hyphens. Fixed at opening.",
    "lease_minutes": "How long an item is kept for a rater who has it open and does nothing.",
    "consent_version": "The version of the text raters agree to: 1 is Attest's own; another has its text under consent "
    "texts.",
    "completion_code": "Shown to raters who have finished; a panel pays by it.",
}
TEXT_FIELDS = {(part, code): f"{part}_{code.replace('-', '_')}" for code, _ in settings.LANGUAGES for part in PARTS}


def _text_field(part: str, code: str) -> forms.CharField:
    return forms.CharField(
        label=f"{part.capitalize()} ({dict(settings.LANGUAGES)[code]})",
        required=False,
        help_text=HELP[part],
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5 if part == "anchors" else 3}),
    )


class TextsForm(forms.ModelForm):
    """Writes ``texts`` from the fields of TEXT_FIELDS; a language that was left empty is left out.

    Languages that have no fields, as the API takes any, stay as they are.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, text in OWN_HELP.items():
            if name in self.fields:
                self.fields[name].help_text = text
        for (part, code), name in TEXT_FIELDS.items():
            if name in self.fields:
                own = self.instance.texts.get(code, {}).get(part, "")
                self.fields[name].initial = "\n".join(own) if part == "anchors" else own

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        shown = dict(settings.LANGUAGES)
        texts: dict[str, dict[str, Any]] = {code: own for code, own in self.instance.texts.items() if code not in shown}
        for (part, code), name in TEXT_FIELDS.items():
            text = cleaned.get(name, "").strip()
            if not text:
                continue
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            if part == "anchors" and len(lines) != RATINGS:
                self.add_error(name, f"There are {len(lines)} lines: write the words of all five answers, or of none.")
                continue
            texts.setdefault(code, {})[part] = lines if part == "anchors" else text
        if any(name in self.fields for name in TEXT_FIELDS.values()):
            self.instance.texts = texts
        return cleaned


# The languages are a setting, so the fields are made from it.
_FIELDS = {name: _text_field(*part) for part, name in TEXT_FIELDS.items()}
StudyForm = cast("type[TextsForm]", ModelFormMetaclass("StudyForm", (TextsForm,), _FIELDS))
