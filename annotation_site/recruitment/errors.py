"""What can go wrong with Prolific.

RecruitmentError
    Unconfigured        no token: nothing was sent
    Refused             Prolific said no, and says why; nothing happened there
    Busy                Prolific asked to come back later; nothing happened there
    Lost                nobody knows whether it happened: ask Prolific before anything is sent again
"""

from __future__ import annotations


class RecruitmentError(Exception):
    """Base of all; the message says what to do."""


class Unconfigured(RecruitmentError):
    """The site has no token of Prolific's API."""


class Refused(RecruitmentError):
    """Prolific refused the request; ``status`` is the HTTP status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Busy(RecruitmentError):
    """Prolific's limit on requests was reached, and waiting as long as we may did not help."""


class Lost(RecruitmentError):
    """The request may or may not have had its effect: the answer did not arrive, or was a server's error."""
