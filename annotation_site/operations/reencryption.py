"""All that is stored encrypted, brought under the newest key, so that an older one can be taken away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Model, QuerySet

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
    """Every table in turn."""
    for model, column in COLUMNS:
        result = Renewal(str(model._meta.verbose_name_plural))
        rows = model._base_manager.exclude(**{column: ""}).order_by("pk")
        for pk in list(rows.values_list("pk", flat=True)):
            try:
                result.renewed += _renew(rows.filter(pk=pk), column)
            except Unreadable:
                result.unreadable.append(pk)
        yield result


@transaction.atomic
def _renew(row: QuerySet[Any], column: str) -> bool:
    """Bring a row under the newest key; False where it is gone by now."""
    # Read under a lock: who changes a row need not encrypt it anew. Using a recovery code keeps the secret as it is.
    old = row.select_for_update().values_list(column, flat=True).first()
    return old is not None and bool(row.update(**{column: _renewed(old)}))


def _renewed(old: Any) -> Any:
    if isinstance(old, str):
        return renewed(old)
    return old | {name: renewed(old[name]) for name in OF_AN_AUTHENTICATOR if old.get(name)}
