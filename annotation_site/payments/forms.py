"""What researchers fill in: a pay scheme, in the currency's major unit, and the reasons of decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from annotation_site.payments.models import PayScheme
from annotation_site.payments.money import NotAnAmount, currency_code, parsed, plain
from annotation_site.payments.settling import lock
from annotation_site.studies.models import Study

# What a rater can come to have by the scheme: without any of it, it pays nothing.
PAYS = ("base", "per_item", "per_minute", "least", "bonus_complete", "bonus_checks", "screen_out")
AMOUNTS = (
    "base", "per_item", "per_minute", "least", "most", "bonus_complete", "bonus_checks", "screen_out", "hourly_minimum",
)  # fmt: skip
LABELS = {
    "currency": _("Currency"),
    "base": _("For taking part"),
    "per_item": _("For each answer"),
    "per_minute": _("For each minute"),
    "item_seconds_least": _("Least seconds of an answer"),
    "item_seconds_most": _("Most seconds of an answer"),
    "least": _("At least, in all"),
    "most": _("At most, in all"),
    "bonus_complete": _("Bonus for the end"),
    "bonus_checks": _("Bonus for checks"),
    "bonus_checks_percent": _("Checks passed, percent"),
    "screen_out": _("After the practice was not passed"),
    "excluded": _("Excluded raters are paid"),
    "hourly_minimum": _("Set minimum of an hour"),
    "by": _("Paid by"),
    "everyone": _("Also for those who enrolled before"),
}
# As the page groups them; only the first must be looked at.
PARTS = (
    (_("What is paid"), ("currency", "base", "per_item", "per_minute", "hourly_minimum", "by")),
    (_("Bounds"), ("item_seconds_least", "item_seconds_most", "least", "most")),
    (_("Bonuses"), ("bonus_complete", "bonus_checks", "bonus_checks_percent")),
    (_("Exceptions"), ("screen_out", "excluded", "everyone")),
)


class SchemeForm(forms.ModelForm):
    """A new version of a study's scheme, begun from the one that holds."""

    class Meta:
        model = PayScheme
        fields = tuple(LABELS)
        labels = LABELS

    def __init__(self, study: Study, current: PayScheme | None, data: Any = None) -> None:
        self.study, self.current = study, current
        super().__init__(data, initial=_initial(current))
        if current is not None:
            self.fields["currency"].disabled = True
            self.fields["currency"].help_text = _("A study pays in one currency.")
        else:
            # Longer than a code, so that something else is refused instead of cut off.
            self.fields["currency"] = forms.CharField(label=LABELS["currency"], max_length=30)
        for name in AMOUNTS:
            field = self.fields[name]
            attributes = {"inputmode": "decimal", "autocomplete": "off"}
            self.fields[name] = forms.CharField(
                label=field.label, help_text=field.help_text, required=False, max_length=20,
                widget=forms.TextInput(attrs=attributes),
            )  # fmt: skip

    def parts(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The fields with the heading of each group."""
        return [(heading, [self[name] for name in names]) for heading, names in PARTS]

    def clean_currency(self) -> str:
        if self.current is not None:
            return self.current.currency
        try:
            return currency_code(str(self.cleaned_data["currency"]))
        except NotAnAmount as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        currency = given.get("currency")
        if currency:
            for name in AMOUNTS:
                self._amount(name, currency)
            given = self.cleaned_data
            if not any(given.get(name) for name in PAYS) and not self.errors:
                self.add_error(
                    None, _("This pays nothing: give at least one amount. A study of volunteers has no scheme.")
                )
            if given.get("most") is not None and given["most"] < (given.get("least") or 0):
                self.add_error("most", _("The most is less than the least."))
        if (given.get("item_seconds_most") or 0) < (given.get("item_seconds_least") or 0):
            self.add_error("item_seconds_most", _("The most is less than the least."))
        return given

    def _amount(self, name: str, currency: str) -> None:
        text = self.cleaned_data.get(name) or ""
        if not text.strip():
            self.cleaned_data[name] = None if name == "most" else 0
            return
        try:
            self.cleaned_data[name] = parsed(text, currency)
        except NotAnAmount as error:
            self.add_error(name, str(error))

    @transaction.atomic
    def make(self, *, by: str, now: datetime) -> PayScheme:
        """The next version."""
        lock(self.study)
        last = PayScheme.objects.filter(study=self.study).order_by("version").last()
        scheme = PayScheme(
            study=self.study, version=last.version + 1 if last else 1, made_at=now, made_by=by, **self.cleaned_data
        )
        scheme.full_clean()
        scheme.save()
        return scheme


def _initial(current: PayScheme | None) -> dict[str, Any]:
    if current is None:
        return {}
    values = {name: getattr(current, name) for name in LABELS}
    for name in AMOUNTS:
        values[name] = "" if not values[name] else plain(values[name], current.currency)
    return values | {"everyone": False}


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=1000)


class BonusForm(ReasonForm):
    amount = forms.CharField(label=_("Amount"), max_length=20)

    def __init__(self, currency: str, data: Any = None) -> None:
        self.currency = currency
        super().__init__(data)

    def clean_amount(self) -> int:
        try:
            amount = parsed(self.cleaned_data["amount"], self.currency)
        except NotAnAmount as error:
            raise ValidationError(str(error)) from error
        if not amount:
            raise ValidationError(_("A bonus is more than nothing."))
        return amount


class PaidForm(forms.Form):
    """That finance has paid a batch: their reference, and the sum that they were given."""

    reference = forms.CharField(label=_("Finance's reference"), max_length=200)
    total = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
