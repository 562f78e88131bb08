"""The reason for a deed, as the administration asks for it; the audit log keeps it."""

from __future__ import annotations

from typing import Any, Self

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

LONGEST_REASON = 500


class ReasonForm(forms.Form):
    """One text, stripped; required unless it is said to be optional."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text=_("Kept in the audit log beside your name."),
        error_messages={"required": _("Say why: the reason is kept in the audit log, for whoever asks later.")},
    )

    def __init__(self, *args: Any, required: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = required
        self.fields["reason"].label = _("Reason") if required else _("Reason (not required)")

    @classmethod
    def of(cls, request: HttpRequest, *, required: bool = True) -> Self:
        """What was sent; unbound for a page that is only looked at."""
        return cls(request.POST if request.method == "POST" else None, required=required)
