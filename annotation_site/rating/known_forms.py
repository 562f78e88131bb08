"""A practice item or a check, as it is written in the administration."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from annotation_site.stimuli.models import Generation, Word
from annotation_site.studies.gold import CHECKS, StudyStarted, add_known_item
from annotation_site.studies.models import Item, KnownAnswer, Study

PURPOSES = [(purpose, purpose.label) for purpose in (Item.Purpose.PRACTICE, *CHECKS)]
PRESENT = [("", "-"), ("first", "only the first"), ("second", "only the second"), ("both", "both"), ("none", "neither")]


class KnownForm(forms.Form):
    """One item of a draft: which picture and word, which map is shown for it, and which answers are right."""

    purpose = forms.ChoiceField(choices=PURPOSES, label="What for")
    position = forms.IntegerField(
        min_value=0, label="Picture", help_text="The position of an item of this study, whose picture it is."
    )
    word = forms.CharField(
        required=False, max_length=200, help_text="A word of the picture's caption; empty: the item's own."
    )
    other = forms.CharField(
        required=False,
        max_length=200,
        label="Map of",
        help_text="Another word of the caption, whose map is shown in its place; empty: the word's own map.",
    )
    lowest = forms.IntegerField(required=False, min_value=1, max_value=5, label="Right from", help_text="1 to 5.")
    highest = forms.IntegerField(required=False, min_value=1, max_value=5, label="Right to", help_text="1 to 5.")
    present = forms.ChoiceField(required=False, choices=PRESENT, label="In the picture")
    opt_out = forms.ChoiceField(required=False, choices=KnownAnswer.OptOut, label="Right as well")

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        for name in ("present",) if study.kind == Study.Kind.LIKERT else ("word", "other", "lowest", "highest"):
            del self.fields[name]
        for code, language in settings.LANGUAGES:
            self.fields[f"reason_{code}"] = forms.CharField(
                required=False, max_length=500, label=f"Why ({language})", help_text="Told after a practice answer."
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        rated = self.study.items.in_use().select_related("generation__prompt", "word", "second_word")
        source = rated.filter(position=cleaned.get("position", -1)).first()
        if source is None:
            raise ValidationError({"position": "This study has no item in use at this position."})
        if source.generation.state != Generation.State.DONE:
            raise ValidationError({"position": "The picture of this item is not made yet."})
        _require_an_answer(cleaned)
        instructed = cleaned.get("purpose") == Item.Purpose.INSTRUCTED
        if instructed and (cleaned.get("opt_out") or cleaned.get("lowest") != cleaned.get("highest")):
            raise ValidationError("An instructed check names one answer: write the same number twice, and no opt-out.")
        return {**cleaned, "source": source, "chosen": self._words(source, cleaned)}

    def _words(self, source: Item, cleaned: dict[str, Any]) -> tuple[Word, Word | None]:
        word, other = cleaned.get("word", ""), cleaned.get("other", "")
        return (
            _word(source.generation, word, "word") if word else source.word,
            _word(source.generation, other, "other") if other else None,
        )

    def add(self) -> Item:
        """Make the item, the caller being in a transaction. Raises ValidationError, StudyStarted."""
        # Locked, so that nobody opens the study meanwhile.
        self.study = Study.objects.select_for_update().get(pk=self.study.pk)
        cleaned, source = self.cleaned_data, self.cleaned_data["source"]
        word, other = cleaned["chosen"]
        shown = {"map_source": Item.MapSource.OTHER_WORD, "map_word": other} if other else {}
        second = source.second_word if self.study.kind == Study.Kind.PRESENCE else None
        kept: dict[str, Any] = {"purpose": cleaned["purpose"], "known": self._known(), "second_word": second}
        return add_known_item(self.study, source.generation, word, **kept, **shown)

    def _known(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        codes = [code for code, _ in settings.LANGUAGES if cleaned.get(f"reason_{code}")]
        known: dict[str, Any] = {"reasons": {code: cleaned[f"reason_{code}"] for code in codes}}
        known["opt_out"] = cleaned["opt_out"]
        if self.study.kind == Study.Kind.LIKERT:
            return known | {name: cleaned[name] for name in ("lowest", "highest")}
        if not cleaned["present"]:
            return known
        first, second = cleaned["present"] in {"first", "both"}, cleaned["present"] in {"second", "both"}
        return known | {"first_present": first, "second_present": second}


def _require_an_answer(cleaned: dict[str, Any]) -> None:
    lowest, highest = cleaned.get("lowest"), cleaned.get("highest")
    if (lowest is None) != (highest is None) or (lowest and highest and lowest > highest):
        raise ValidationError({"highest": "Write both ends of what is right, the lower one first."})
    if lowest is None and not cleaned.get("present") and not cleaned.get("opt_out"):
        raise ValidationError("Say which answers are right.")


def _word(generation: Generation, text: str, field: str) -> Word:
    found = [word for word in generation.prompt.words.all() if word.text == text]
    if len(found) != 1:
        times = f"stands there {len(found)} times" if found else "is not a word of it"
        raise ValidationError({field: f"The caption is “{generation.prompt.text}”, and “{text}” {times}."})
    return found[0]


@transaction.atomic
def remove_known_item(study: Study, pk: int) -> Item:
    """Take a practice item or a check out of a draft for good. Raises StudyStarted, Item.DoesNotExist."""
    study = Study.objects.select_for_update().get(pk=study.pk)
    item = study.items.exclude(purpose=Item.Purpose.RATED).select_related("word", "generation__prompt").get(pk=pk)
    if study.state != Study.State.DRAFT:
        raise StudyStarted(
            f"{item} stays stored: raters of “{study.title}” may have met it. Withdraw it, and nobody meets it again."
        )
    item.delete()
    return item
