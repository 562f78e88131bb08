"""What a researcher sets about the ways into a study."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from annotation_site.payments.money import NotAnAmount, currency_code
from annotation_site.raters.models import Outcome, Source
from annotation_site.raters.sources.invitations import AT_ONCE
from annotation_site.raters.sources.presets import PRESETS, new_source
from annotation_site.recruitment.models import ProlificStudy
from annotation_site.studies.models import Study

ROLES = {
    "person": _("Parameter with the person's id"),
    "session": _("Parameter with the session's id"),
    "study": _("Parameter with the study's id"),
}


class NewSourceForm(forms.Form):
    """A way in after a preset."""

    preset = forms.ChoiceField(label=_("From"), choices=[(name, preset.label) for name, preset in PRESETS.items()])
    name = forms.SlugField(
        label=_("Name"), max_length=30, required=False, help_text=_("Part of its link; empty: named after the choice.")
    )
    cap = forms.IntegerField(label=_("At most"), min_value=1, required=False, help_text=_("Raters; empty: no limit."))

    def __init__(self, *args: Any, study: Study, **more: Any) -> None:
        super().__init__(*args, **more)
        self.study = study

    def clean(self) -> dict[str, Any]:
        fields: dict[str, Any] = self.cleaned_data
        if "preset" in fields:
            self.made = new_source(
                self.study, fields["preset"], fields.get("name") or fields["preset"], cap=fields.get("cap")
            )
            try:
                self.made.full_clean()
            except forms.ValidationError as error:
                raise forms.ValidationError(error.messages) from error
        return fields


class SourceForm(forms.ModelForm):
    """A source's settings, with a code and an address for each outcome."""

    class Meta:
        model = Source
        fields = ["paid_by", "cap", "smallest_width", "signed"]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        source = self.instance
        if source.kind != Source.Kind.PROLIFIC:
            del self.fields["signed"]
        if source.kind == Source.Kind.PARAMETERS:
            for role, label in ROLES.items():
                value = source.parameters.get(role, "")
                self.fields[f"parameter_{role}"] = forms.CharField(
                    label=label, initial=value, required=role == "person", max_length=40
                )
        # What Prolific was told with the draft stays as it is there.
        told = ProlificStudy.objects.filter(source=source, claimed_at__isnull=False).exclude(prolific_id="")
        fixed = source.kind == Source.Kind.PROLIFIC and told.exists()
        for outcome in Outcome:
            self._add_end(outcome, fixed=fixed)

    def _add_end(self, outcome: Outcome, *, fixed: bool) -> None:
        end = self.instance.ends.get(outcome, {})
        known = {"initial": end.get("code", ""), "disabled": fixed}
        self.fields[f"code_{outcome}"] = forms.CharField(label=_("Code"), required=False, max_length=60, **known)
        if self.instance.kind != Source.Kind.PROLIFIC:
            address = forms.CharField(
                label=_("Address"), initial=end.get("address", ""), required=False, max_length=500
            )
            self.fields[f"address_{outcome}"] = address

    def ends(self) -> list[tuple[str, Any, Any]]:
        """Each outcome with its fields, as the page shows them."""
        rows = []
        for outcome in Outcome:
            address = self[f"address_{outcome}"] if f"address_{outcome}" in self.fields else None
            rows.append((str(outcome.label), self[f"code_{outcome}"], address))
        return rows

    def plain(self) -> list[Any]:
        """The fields that are no ends."""
        return [field for field in self if not field.name.startswith(("code_", "address_"))]

    def clean(self) -> dict[str, Any]:
        """Put codes, addresses and parameters where the source keeps them; it checks them itself."""
        fields = super().clean() or self.cleaned_data
        ends = {outcome: self._end(fields, outcome) for outcome in Outcome.values}
        self.instance.ends = {outcome: end for outcome, end in ends.items() if end}
        if self.instance.kind == Source.Kind.PARAMETERS:
            self.instance.parameters = {role: v for role in ROLES if (v := fields.get(f"parameter_{role}", ""))}
        return fields

    def _end(self, fields: dict[str, Any], outcome: str) -> dict[str, str]:
        pairs = {part: fields.get(f"{part}_{outcome}", "").strip() for part in ("code", "address")}
        return {part: value for part, value in pairs.items() if value}


class BatchForm(forms.Form):
    """How many invitations, and what is done with them."""

    number = forms.IntegerField(label=_("How many"), min_value=1, max_value=AT_ONCE, initial=10)
    batch = forms.CharField(
        label=_("Name of the batch"), max_length=60, help_text=_("So that you can find and take back these links.")
    )
    days = forms.IntegerField(
        label=_("Valid for"), min_value=1, max_value=1000, required=False, help_text=_("Days; empty: for good.")
    )
    form = forms.ChoiceField(
        label=_("Hand out as"),
        choices=[("csv", _("table (CSV), for e-mails")), ("paper", _("page to print, with QR codes"))],
    )

    def expires_at(self, now: datetime | None = None) -> datetime | None:
        days = self.cleaned_data.get("days")
        return (now or timezone.now()) + timedelta(days=days) if days else None


class ProlificForm(forms.ModelForm):
    """The draft, until it has been created at Prolific."""

    class Meta:
        model = ProlificStudy
        fields = [
            "prolific_id",
            "name",
            "description",
            "reward",
            "currency",
            "places",
            "minutes",
            "devices",
            "approve_automatically",
            "screen_out_reward",
            "screen_out_slots",
            "screen_out_actor",
            "project",
        ]
        widgets = {"description": forms.Textarea(attrs={"rows": 5})}

    def clean_currency(self) -> str:
        try:
            return currency_code(str(self.cleaned_data["currency"]))
        except NotAnAmount as error:
            raise forms.ValidationError(str(error)) from error
