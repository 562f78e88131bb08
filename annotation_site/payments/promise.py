"""What a study pays, said before anybody agrees: the lines of its scheme, and about what the whole of it comes to."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext_lazy as _

from annotation_site.payments.earning import bounded
from annotation_site.payments.models import PayScheme
from annotation_site.payments.money import spoken
from annotation_site.payments.settling import NOBODY, PANEL
from annotation_site.raters.models import Source
from annotation_site.studies.models import Study

LINES: tuple[tuple[str, str | Lazy], ...] = (
    ("base", _("%(amount)s for taking part")),
    ("per_item", _("%(amount)s for each answer")),
    ("per_minute", _("%(amount)s for each minute")),
    ("bonus_complete", _("%(amount)s more for reaching the end")),
    ("bonus_checks", _("%(amount)s more for answering with care")),
    ("least", _("at least %(amount)s")),
    ("most", _("at most %(amount)s, bonuses aside")),
    ("screen_out", _("%(amount)s if the practice is not passed")),
)


@dataclass(frozen=True)
class Promised:
    """``kind`` is "paid", "unpaid", "elsewhere" (the site that somebody came from says it), or "" for not known."""

    kind: str = ""
    whole: str = ""
    lines: tuple[str, ...] = ()


def promised(study: Study, source: Source | None, *, answers: int, minutes: int) -> Promised:
    """What somebody who comes in now, by this source or by none, and gives so many answers, is promised."""
    scheme = PayScheme.objects.filter(study=study).order_by("-version").first()
    way = (scheme.by if scheme else "") or (source.paid_by if source else "")
    if way == NOBODY:
        return Promised("unpaid")
    if way == PANEL:
        return Promised("elsewhere")
    return _by_scheme(scheme, answers=answers, minutes=minutes) if scheme else Promised()


def _by_scheme(scheme: PayScheme, *, answers: int, minutes: int) -> Promised:
    lines = tuple(
        str(words) % {"amount": spoken(amount, scheme.currency)}
        for name, words in LINES
        if (amount := getattr(scheme, name))
    )
    return Promised("paid", spoken(_whole(scheme, answers, minutes), scheme.currency), lines)


def _whole(scheme: PayScheme, answers: int, minutes: int) -> int:
    """Of somebody who reaches the end: work within the scheme's bounds, and the bonus for the end."""
    work = scheme.base + scheme.per_item * answers + scheme.per_minute * minutes
    return bounded(scheme, work) + scheme.bonus_complete
