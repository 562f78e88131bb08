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

CHANGE_QUESTION = _("What changed between the two pictures?")
CHANGES = [
    Choice("object", "1", _("Only the object")),
    Choice("background", "2", _("Only the background")),
    Choice("both", "3", _("Both")),
    Choice("nothing", "4", _("Nothing")),
]
CHANGE_TOO_POOR = Choice("image_too_poor", "I", _("Image too poor"))
CHANGE_OPT_OUTS = [CHANGE_TOO_POOR]

_QUESTIONS = {"likert": LIKERT_QUESTION, "presence": PRESENCE_QUESTION, "change": CHANGE_QUESTION}
_OPT_OUTS = {"likert": LIKERT_OPT_OUTS, "presence": PRESENCE_OPT_OUTS, "change": CHANGE_OPT_OUTS}


def question(kind: str) -> Text:
    """The question of a study of this kind."""
    return _QUESTIONS[kind]


def opt_outs(kind: str) -> list[Choice]:
    """What a rater of a study of this kind may choose in place of an answer."""
    return _OPT_OUTS[kind]
