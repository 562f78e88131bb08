"""Making invitations: the secrets are told once, and only hashes of them are kept."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.crypto import salted_hmac

from annotation_site.raters.source_rows import Invitation, Source

# Sixteen letters of a kind that can be read off paper and typed: 76 bits.
ALPHABET = "23456789bcdfghjkmnpqrstvwxz"
LENGTH = 16
AT_ONCE = 2000
SALT = "attest.raters.invitation"


@dataclass(frozen=True)
class Link:
    """One invitation as it is handed out: this is the only time that its secret is known."""

    number: int
    secret: str

    def address(self, site: str) -> str:
        return f"{site}{reverse('invited', args=[self.secret])}"


def secret_hash(secret: str) -> str:
    """Keyed by SECRET_KEY; letters of either case are the same, for people type what is printed."""
    return salted_hmac(SALT, secret.strip().casefold(), algorithm="sha256").hexdigest()


@transaction.atomic
def make_batch(source: Source, *, number: int, batch: str, expires_at: datetime | None) -> list[Link]:
    """``number`` new invitations under the name ``batch``, numbered on where that name was used before."""
    if source.kind != Source.Kind.INVITATION:
        raise ValueError(f"{source.name!r} is {source.get_kind_display()}: it has no invitations.")
    if not 1 <= number <= AT_ONCE:
        raise ValueError(f"{number} invitations cannot be made at once: 1 to {AT_ONCE}.")
    Source.objects.select_for_update().get(pk=source.pk)
    last = source.invitations.filter(batch=batch).order_by("-number").values_list("number", flat=True).first() or 0
    links = [Link(last + place, _new_secret()) for place in range(1, number + 1)]
    Invitation.objects.bulk_create(
        Invitation(
            source=source,
            batch=batch,
            number=link.number,
            secret_hash=secret_hash(link.secret),
            expires_at=expires_at,
        )
        for link in links
    )
    return links


def _new_secret() -> str:
    return "".join(secrets.choice(ALPHABET) for place in range(LENGTH))


def revoke(source: Source, *, batch: str, numbers: list[int] | None = None, now: datetime) -> int:
    """Take back invitations of a batch, all or some of them; how many. Who came by one already stays a rater."""
    rows = source.invitations.filter(batch=batch, revoked_at__isnull=True)
    if numbers is not None:
        rows = rows.filter(number__in=numbers)
    return rows.update(revoked_at=now)
