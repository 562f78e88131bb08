"""What a program was answered, kept so that a request sent twice is carried out once."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Reply(models.Model):
    """The answer to a request under its Idempotency-Key. Encrypted, for some hold a secret that is shown once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.UUIDField()
    request = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "replies"
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="a_key_has_one_reply")]

    def __str__(self) -> str:
        return f"{self.status} to {self.key}"
