"""An answer, and why one is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from annotation_site.rating.models import ANSWER_FIELDS, Judgement
from annotation_site.studies.models import Study

CHANGES = frozenset(Judgement.Change.values) - {""}


class RatingError(Exception):
    """Base of what can go wrong with a claim or an answer."""


class StudyNotReady(RatingError):
    """The study cannot be opened; the message names what is missing."""


class AnswerRefused(RatingError):
    """The answer does not fit the study's question; nothing was stored."""


class KeyReused(RatingError):
    """Another answer was stored under this submission's key; that one stands."""


@dataclass(frozen=True)
class Answer:
    """One answer: a rating from 1 to 5, an opt-out, which of the two objects are present, or what changed."""

    rating: int | None = None
    opt_out: str = ""
    first_present: bool | None = None
    second_present: bool | None = None
    change: str = ""

    def check(self, kind: str) -> None:
        """Refuse an answer that is not one of the question's."""
        if self.opt_out:
            allowed = {Judgement.OptOut.IMAGE_TOO_POOR}
            if kind == Study.Kind.LIKERT:
                allowed.add(Judgement.OptOut.WORD_TOO_ABSTRACT)
            fits = self.opt_out in allowed and self._rest_is_empty("opt_out")
        elif kind == Study.Kind.LIKERT:
            fits = self.rating in {1, 2, 3, 4, 5} and self._rest_is_empty("rating")
        elif kind == Study.Kind.CHANGE:
            fits = self.change in CHANGES and self._rest_is_empty("change")
        else:
            fits = None not in {self.first_present, self.second_present} and self.rating is None and not self.change
        if not fits:
            raise AnswerRefused(f"{self} is not one answer to a {kind} question: choose exactly one of those shown.")

    def _rest_is_empty(self, name: str) -> bool:
        return all(getattr(self, other) in (None, "") for other in ANSWER_FIELDS if other != name)

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ANSWER_FIELDS}
