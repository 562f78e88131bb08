"""Attest's own consent texts. A text is never edited once it was used: a change of meaning is a new version."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CONSENT_TEXTS: dict[str, list[str | Promise]] = {
    "1": [
        _("Taking part is voluntary. You can stop at any time, without a reason, by closing the page."),
        _(
            "We store your answers, when you gave them, how long each took, how you looked at the map, the size of "
            "your window, and the language of the page. "
            "We ask for no name and no e-mail address: you are known by a random pseudonym."
        ),
        _("Answers are used for research and may be published, also as single answers, under the pseudonym."),
        _(
            "To have your answers taken out before they are published, send your pseudonym to the people who gave "
            "you the link."
        ),
        _("The pictures are made by a computer model. Some may look odd; none is meant to shock."),
    ]
}
