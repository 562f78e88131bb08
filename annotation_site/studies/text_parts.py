"""What a study may say in its own words: {language: {question, anchors, instructions}}."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

PARTS = ("question", "anchors", "instructions")
RATINGS = 5


def check_texts(texts: Any) -> None:
    """Refuse texts that are not {language: {question, anchors, instructions}}, the anchors none or five."""
    if not isinstance(texts, dict) or not all(isinstance(own, dict) for own in texts.values()):
        raise ValidationError({"texts": _("Write the texts by language: {“en”: {“question”: …}}.")})
    for locale, own in texts.items():
        unknown = sorted(set(own) - set(PARTS))
        if unknown:
            raise ValidationError({"texts": _("%(locale)s: %(unknown)s is none of %(known)s.") % {
                "locale": locale, "unknown": ", ".join(unknown), "known": ", ".join(PARTS)}})  # fmt: skip
        anchors = own.get("anchors") or []
        if not isinstance(anchors, list) or len(anchors) not in (0, RATINGS) or not all(anchors):
            raise ValidationError(
                {"texts": _("%(locale)s: write the words of all five answers, or of none.") % {"locale": locale}}
            )
