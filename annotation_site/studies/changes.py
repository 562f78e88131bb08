"""When a study was opened, paused and closed: what followed from it is read off these rows."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class StateChange(models.Model):
    """A study's state from a moment on. Appended in the transaction that changes the state, never changed."""

    study = models.ForeignKey("studies.Study", on_delete=models.CASCADE, related_name="changes")
    state = models.CharField(max_length=10, help_text=_("The state that it came to."))
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.study}: {self.state} at {self.at:%Y-%m-%d %H:%M}"
