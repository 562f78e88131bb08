"""All that is stored encrypted, brought under the newest key, so that an older one can be taken away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import Model

from annotation_site.api.models import Reply
from annotation_site.encryption import Unreadable, renewed
from annotation_site.raters.identities import Identity
from annotation_site.webhooks.models import Webhook

COLUMNS: tuple[tuple[type[Model], str], ...] = (
    (Identity, "encrypted"),
    (Webhook, "encrypted_secret"),
    (Authenticator, "data"),
    (Reply, "body"),
)
# What allauth encrypts of an authenticator's data; the rest of them is plain.
OF_AN_AUTHENTICATOR = ("secret", "seed")


@dataclass
class Renewal:
    """How many values of a table were brought under the newest key, and which ones no key opens."""

    table: str
    renewed: int = 0
    unreadable: list[int] = field(default_factory=list)


def renew_all() -> Iterator[Renewal]:
    """Every table in turn. A row that somebody changes meanwhile is under the newest key by that."""
    for model, column in COLUMNS:
        result = Renewal(str(model._meta.verbose_name_plural))
        rows = model._base_manager.exclude(**{column: ""}).order_by("pk")
        for pk, old in rows.values_list("pk", column).iterator():
            try:
                new = _renewed(old)
            except Unreadable:
                result.unreadable.append(pk)
                continue
            result.renewed += model._base_manager.filter(pk=pk, **{column: old}).update(**{column: new})
        yield result


def _renewed(old: Any) -> Any:
    if isinstance(old, str):
        return renewed(old)
    return old | {name: renewed(old[name]) for name in OF_AN_AUTHENTICATOR if old.get(name)}
