"""The planning page: how many images or pairs a study needs, asked by a form; nothing is stored."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from annotation_site.reports.access import researchers_only
from annotation_site.reports.planning import SHARES, SPREAD, Plan, Question, plan
from annotation_site.studies.access import is_open
from attribution.errors import AnalysisError

# As many as there are Universal POS tags.
MOST_MEANS = 17
SHARE: dict[str, Any] = {"min_value": 0, "max_value": 1, "widget": forms.TextInput(attrs={"inputmode": "decimal"})}
NUMBER: dict[str, Any] = {"widget": forms.TextInput(attrs={"inputmode": "decimal"})}


class PlanForm(forms.Form):
    """What :class:`Question` asks; empty fields take its defaults."""

    share_1 = forms.FloatField(label="One share right", initial=SHARES[0], help_text="0 to 1", **SHARE)
    share_2 = forms.FloatField(label="The other share", initial=SHARES[1], help_text="0 to 1", **SHARE)
    means = forms.CharField(
        label="Or true means of tags",
        max_length=200,
        required=False,
        help_text="two or more, such as 3.4 3.7; they take the place of the shares",
    )
    spread = forms.FloatField(
        label="Standard deviation of medians", initial=SPREAD, min_value=0.01, max_value=4, **NUMBER
    )
    per_group = forms.IntegerField(label="Images or pairs of each", initial=200, min_value=1, max_value=10**7, **NUMBER)
    alpha = forms.FloatField(label="Significance level", initial=0.05, min_value=1e-9, max_value=0.999, **NUMBER)
    images_a_pair = forms.FloatField(
        label="Images that share a noun pair", initial=1, min_value=1, max_value=10**6, **NUMBER
    )
    correlation = forms.FloatField(label="Correlation of two such images", initial=0, **SHARE)

    def clean_means(self) -> tuple[float, ...]:
        """Numbers between 1 and 5, separated by spaces, commas or semicolons."""
        words = self.cleaned_data["means"].replace(",", " ").replace(";", " ").split()
        if len(words) > MOST_MEANS:
            raise ValidationError(f"{len(words)} means: give at most {MOST_MEANS}.")
        return tuple(_mean(word) for word in words)

    def question(self) -> Question:
        given = dict(self.cleaned_data)
        return Question(shares=(given.pop("share_1"), given.pop("share_2")), **given)


def _mean(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise ValidationError(f"“{word}” is no number: write means such as 3.4 3.7.") from None
    if not 1 <= value <= 5:
        raise ValidationError(f"“{word}” is not between 1 (bad) and 5 (excellent).")
    return value


@researchers_only
def planning(request: HttpRequest) -> HttpResponse:
    given = {name: request.GET.get(name) or _default(field) for name, field in PlanForm.base_fields.items()}
    form = PlanForm(given)
    answer = _answer(form)
    context = {"form": form, "plan": answer, "is_open": is_open()}
    return render(request, "reports/planning.html", context, status=200 if answer else 422)


def _default(field: forms.Field) -> Any:
    return "" if field.initial is None else field.initial


def _answer(form: PlanForm) -> Plan | None:
    """The plan; None where the form has an error, which it then says."""
    if not form.is_valid():
        return None
    try:
        return plan(form.question())
    except AnalysisError as error:
        form.add_error(None, str(error))
        return None
