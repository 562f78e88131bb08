"""What a page carries to say which stimulus it showed: signed, so that nobody answers what they were not shown."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.core import signing

from annotation_site.raters.models import Enrolment
from annotation_site.rating.assignment import given
from annotation_site.rating.models import Seat

SALT = "attest.rating.ticket"
KEYS = uuid.UUID("5f0c2c1e-7a53-4a9c-9a52-3d5f4b1f7d10")


class BadTicket(Exception):
    """The ticket was not made here, was changed on the way, or belongs to another rater."""


@dataclass(frozen=True)
class Ticket:
    """A seat as it was shown to a rater. It does not expire: late answers are taken as well."""

    seat: int
    enrolment: int
    shown_at: datetime

    def sign(self) -> str:
        return signing.dumps([self.seat, self.enrolment, self.shown_at.isoformat()], salt=SALT)

    @classmethod
    def read(cls, text: str, enrolment: Enrolment) -> Ticket:
        """The ticket that ``sign`` wrote for this rater; raises BadTicket."""
        try:
            seat, owner, shown_at = signing.loads(text, salt=SALT)
        except signing.BadSignature as error:
            raise BadTicket(str(error)) from error
        if owner != enrolment.pk:
            raise BadTicket(f"the ticket belongs to enrolment {owner}, not {enrolment.pk}")
        return cls(seat, owner, datetime.fromisoformat(shown_at))


def submission_key(seat: Seat, enrolment: Enrolment) -> uuid.UUID:
    """The key of the rater's next answer in this seat.

    Made from what the answer is, not at random, so that a page loaded twice (a reload, a second tab) is still one
    submission; an answer that was undone gets the key of the next revision.
    """
    return uuid.uuid5(KEYS, f"{enrolment.pk}/{seat.pk}/{given(seat, enrolment)}")
