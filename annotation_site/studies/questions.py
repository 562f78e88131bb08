"""The questions as raters read them: wording, anchors and opt-outs, for every page and report that shows them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True)
class Choice:
    """One answer that can be chosen: the value a form sends, its key on the keyboard, and its wording."""

    value: str
    key: str
    label: Text


LIKERT_QUESTION = _("How well does the highlighting reflect the word?")
LIKERT_ANCHORS: dict[int, Text] = {
    1: _("Bad"),
    2: _("Poor"),
    3: _("Fair"),
    4: _("Good"),
    5: _("Excellent"),
}
WORD_TOO_ABSTRACT = Choice("word_too_abstract", "W", _("Word too abstract"))
IMAGE_TOO_POOR = Choice("image_too_poor", "I", _("Image too poor"))
LIKERT_RATINGS = [Choice(str(value), str(value), label) for value, label in LIKERT_ANCHORS.items()]
LIKERT_OPT_OUTS = [WORD_TOO_ABSTRACT, IMAGE_TOO_POOR]

PRESENCE_QUESTION = _("Which of these are in the image?")
NEITHER = Choice("neither", "N", _("Neither"))
PRESENCE_TOO_POOR = Choice("image_too_poor", "I", _("The image is too poor to say"))
PRESENCE_OPT_OUTS = [NEITHER, PRESENCE_TOO_POOR]


def question(kind: str) -> Text:
    """The question of a study of this kind."""
    return LIKERT_QUESTION if kind == "likert" else PRESENCE_QUESTION
