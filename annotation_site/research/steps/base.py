"""What every page of the wizard is: a form with a question, and the fields that several ask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from annotation_site.studies.models import StudyOrder

Text = str | Promise
SEED_HELP = gettext_lazy("Decides every draw: the same choices and seed give the same study.")


def number(label: Any, initial: int, least: int, most: int, **more: Any) -> forms.IntegerField:
    widget = forms.TextInput(attrs={"inputmode": "numeric", "class": "short"})
    return forms.IntegerField(label=label, initial=initial, min_value=least, max_value=most, widget=widget, **more)


def decimal(label: Any, least: float, most: float, **more: Any) -> forms.FloatField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "short"})
    return forms.FloatField(label=label, min_value=least, max_value=most, widget=widget, **more)


def seed() -> forms.IntegerField:
    return number(gettext_lazy("Seed"), 0, 0, 2**31 - 1, help_text=SEED_HELP)


class Step(forms.Form):
    """One page. ``name`` is its place in addresses and in ``StudyOrder.answers``."""

    name: str
    question: Text
    lead: Text = ""

    def __init__(self, order: StudyOrder, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.order = order
        self.ready()

    def ready(self) -> None:
        """Fit the fields to the order."""

    def choices(self) -> dict[str, Any]:
        """What the worker is told; called on a valid form."""
        return dict(self.cleaned_data)

    def said(self) -> Iterable[str]:
        """The answer as the summary shows it; called on a valid form."""
        raise NotImplementedError
