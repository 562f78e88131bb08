"""From a submitted page to an answer."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation_site.rating.assignment import Answer
from annotation_site.studies import questions
from annotation_site.studies.models import Study

LONGEST_MILLISECONDS = 2**31 - 1
FIRST, SECOND = "first", "second"


class LikertForm(forms.Form):
    """One of five ratings or two opt-outs, as one group of radio buttons."""

    answer = forms.ChoiceField(
        choices=[(choice.value, choice.label) for choice in questions.LIKERT_RATINGS + questions.LIKERT_OPT_OUTS],
        error_messages={
            "required": _("Choose one of the five answers, or say why you cannot."),
            "invalid_choice": _("Choose one of the answers shown."),
        },
    )

    def to_answer(self) -> Answer:
        value = self.cleaned_data["answer"]
        return Answer(rating=int(value)) if value.isdigit() else Answer(opt_out=value)


class PresenceForm(forms.Form):
    """Checkboxes for the two objects; 'neither' and 'too poor' each stand alone."""

    answer = forms.MultipleChoiceField(
        choices=[
            (FIRST, FIRST),
            (SECOND, SECOND),
            *((choice.value, choice.label) for choice in questions.PRESENCE_OPT_OUTS),
        ],
        error_messages={
            "required": _("Tick what you see, or “Neither”, or say that the image is too poor."),
            "invalid_choice": _("Choose among the answers shown."),
        },
    )

    def clean_answer(self) -> set[str]:
        chosen = set(self.cleaned_data["answer"])
        alone = {choice.value for choice in questions.PRESENCE_OPT_OUTS}
        if chosen & alone and len(chosen) > 1:
            raise forms.ValidationError(_("“Neither” and “too poor” go with no other answer: leave one of them."))
        return chosen

    def to_answer(self) -> Answer:
        chosen = self.cleaned_data["answer"]
        if questions.PRESENCE_TOO_POOR.value in chosen:
            return Answer(opt_out=questions.PRESENCE_TOO_POOR.value)
        return Answer(first_present=FIRST in chosen, second_present=SECOND in chosen)


class ChangeForm(forms.Form):
    """One of four changes or the opt-out, as one group of radio buttons."""

    answer = forms.ChoiceField(
        choices=[(choice.value, choice.label) for choice in questions.CHANGES + questions.CHANGE_OPT_OUTS],
        error_messages={
            "required": _("Choose one of the four answers, or say that the image is too poor."),
            "invalid_choice": _("Choose one of the answers shown."),
        },
    )

    def to_answer(self) -> Answer:
        value = self.cleaned_data["answer"]
        return Answer(opt_out=value) if value == questions.CHANGE_TOO_POOR.value else Answer(change=value)


AnswerForm = LikertForm | PresenceForm | ChangeForm
FORMS: dict[str, type[LikertForm] | type[PresenceForm] | type[ChangeForm]] = {
    Study.Kind.LIKERT: LikertForm,
    Study.Kind.PRESENCE: PresenceForm,
    Study.Kind.CHANGE: ChangeForm,
}


def form_class(study: Study) -> type[LikertForm] | type[PresenceForm] | type[ChangeForm]:
    return FORMS[study.kind]


def milliseconds(text: str) -> int | None:
    """The browser's own measurement; None rather than an error, for no answer may be lost over it."""
    try:
        value = int(text)
    except ValueError:
        return None
    return value if 0 <= value <= LONGEST_MILLISECONDS else None
