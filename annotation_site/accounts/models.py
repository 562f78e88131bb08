"""Tokens by which a researcher's programs use the API."""

from __future__ import annotations

from django.db import models
from knox.models import AbstractAuthToken


class ApiToken(AbstractAuthToken):
    """Stored as a hash: the token itself is shown once, when it is made. It may do what its scopes and its user may."""

    name = models.CharField(max_length=60)
    scopes = models.JSONField(default=list)

    class Meta:
        ordering = ["-created"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="a_users_tokens_have_names_of_their_own")]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"
