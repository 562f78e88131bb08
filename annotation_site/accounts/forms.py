"""The form that makes an API token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotation_site.accounts.models import ApiToken
from annotation_site.accounts.roles import Role, role_of
from annotation_site.accounts.tokens import READING, SCOPES

DAYS = (7, 30, 90, 365)


class TokenForm(forms.Form):
    name = forms.CharField(max_length=60, label=gettext_lazy("Name"), help_text=gettext_lazy("what will use it"))
    scopes = forms.MultipleChoiceField(label=gettext_lazy("It may"), widget=forms.CheckboxSelectMultiple)
    days = forms.TypedChoiceField(label=gettext_lazy("It ends after"), coerce=int, initial=90)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        offered = READING if role_of(user) is Role.VIEWER else tuple(SCOPES)
        self.fields["scopes"].choices = [(scope, SCOPES[scope]) for scope in offered]  # type: ignore[attr-defined]
        self.fields["days"].choices = [(days, ngettext("%d day", "%d days", days) % days) for days in DAYS]  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if ApiToken.objects.filter(user=self.user, name=name).exists():
            raise ValidationError(self.taken())
        return name

    def taken(self) -> str:
        return _("You have a token of this name: choose another, or revoke that one first.")

    def wanted(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        return {"name": chosen["name"], "scopes": chosen["scopes"], "lifetime": timedelta(days=chosen["days"])}
