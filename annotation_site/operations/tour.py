"""The demo's guided tour: one card at a time, from a rater's screen to the export. How far a visitor is, the session
remembers; a site that was not started by the demo has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STUDY = "demo"
KEY, HIDDEN = "tour", "hidden"
LOOPBACK = frozenset({"127.0.0.1", "::1"})
HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
# What a proxy adds: behind one, a request from this machine may be anybody's.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")


@dataclass(frozen=True)
class Step:
    title: str | Promise
    text: str | Promise
    page: str
    arguments: tuple[str, ...] = ()
    needs_account: bool = False

    @property
    def address(self) -> str:
        return reverse(self.page, args=self.arguments)


STEPS = (
    Step(
        _("Rate an item"),
        _(
            "You are a rater now: agree, read the instructions, practise, and judge a heat map or two. One key "
            "answers, Enter goes on."
        ),
        "join",
        (STUDY,),
    ),
    Step(
        _("See the report"),
        _("Your answer is in it already: scores by part of speech with their intervals, agreement, and figures."),
        "report",
        (STUDY,),
    ),
    Step(
        _("Follow the running study"),
        _("What researchers watch while raters work: places, pace, raters, and items worth a look."),
        "report-live",
        (STUDY,),
    ),
    Step(
        _("Make a study"),
        _("You are a researcher now. One question a page; nothing is made before you order it at the end."),
        "research-new",
        needs_account=True,
    ),
    Step(
        _("Take the data along"),
        _(
            "The study's own page: “Export” gives all answers as one file, from which every number of the report can "
            "be worked out again. manage.py export_study writes the images and maps as well."
        ),
        "research-study",
        (STUDY,),
        needs_account=True,
    ),
)


def on() -> bool:
    return bool(settings.TOUR) and not settings.PRODUCTION


def may_sign_in(request: HttpRequest) -> bool:
    """Whether one click makes the visitor the demo's researcher: on the machine itself, straight, and nowhere else."""
    here = request.META.get("REMOTE_ADDR") in LOOPBACK and split_domain_port(request.get_host())[0] in HOSTS
    return on() and here and not any(name in request.headers for name in FORWARDED)


def tour(request: HttpRequest) -> dict[str, Any]:
    """For every template: the card that is shown now; nothing where there is no tour."""
    if not on():
        return {}
    at = request.session.get(KEY, 0)
    if at == HIDDEN:
        return {"tour": {"hidden": True}}
    number = at if isinstance(at, int) and 0 <= at < len(STEPS) else 0
    step = STEPS[number]
    card = {
        "step": step,
        "number": number + 1,
        "total": len(STEPS),
        "is_last": number + 1 == len(STEPS),
        "is_here": request.path == step.address,
        "sign_in": step.needs_account and not request.user.is_authenticated and may_sign_in(request),
    }
    return {"tour": card}
