"""The form by which a researcher registers or changes a webhook."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation_site.studies.models import Study
from annotation_site.webhooks.models import Event, Webhook

FIELDS = ("address", "events", "measure", "above", "below", "least_judgements")


class WebhookForm(forms.ModelForm):
    """Events as boxes to tick; the study is one of the researcher's own."""

    events = forms.MultipleChoiceField(
        choices=Event.choices, widget=forms.CheckboxSelectMultiple, label=_("What to send word of")
    )

    class Meta:
        model = Webhook
        fields = ("study", *FIELDS)
        labels = {
            "study": _("Study"),
            "address": _("Address"),
            "measure": _("Number of the report"),
            "above": _("Send word when it is above"),
            "below": _("Send word when it is below"),
            "least_judgements": _("but not before so many judgements"),
        }
        widgets = {"address": forms.URLInput(attrs={"placeholder": "https://"})}

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        study = self.fields["study"]
        assert isinstance(study, forms.ModelChoiceField)  # noqa: S101 - for the type checker
        study.queryset = Study.objects.run_by(user)
        study.empty_label = str(_("All studies that I run"))
        self.fields["least_judgements"].required = False
        if self.instance.pk:
            del self.fields["study"]

    def clean_least_judgements(self) -> int:
        return self.cleaned_data["least_judgements"] or 0
