"""What a mail says: what was noticed, what to do about it, and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from annotation_site.alerts.links import absolute, mute_address
from annotation_site.alerts.models import Alert, Kind, Notice


def subject_and_body(notice: Notice) -> tuple[str, str]:
    """In the language in which the alerts were asked for, in plain text."""
    with override(notice.subscription.locale or None):
        subject, told, todo, path = SAID[notice.alert.kind](notice.alert)
        # A title may hold anything, and a subject is one line.
        title = " ".join(notice.alert.study.title.split())
        parts = [
            told,
            todo,
            absolute(path),
            "-- \n" + _("You asked to be told of the study “%(title)s”. To hear no more of it:") % {"title": title}
            + "\n" + mute_address(notice.subscription),
        ]  # fmt: skip
        return f"{title}: {subject}", "\n\n".join(parts) + "\n"


def _finished(alert: Alert) -> tuple[str, str, str, str]:
    told = ngettext(
        "Every place of the study is answered, %(answers)s in all.",
        "Every place of the study is answered, %(answers)s in all.",
        alert.data["answers"],
    )
    todo = _("Look at the report, then close the study, or ask for more answers.")
    return _("every place is answered"), told % alert.data, todo, _of(alert, "research-study")


def _agreement(alert: Alert) -> tuple[str, str, str, str]:
    said = alert.data | {"value": f"{alert.data['value']:.2f}", "below": f"{alert.data['below']:g}"}
    told = _("Raters agree with alpha %(value)s over %(answers)s answers: below your bound of %(below)s.") % said
    todo = _(
        "See which items divide them, and whether some raters answer unlike all others. Pause the study if its "
        "question or instructions are not understood."
    )
    return _("raters agree too little"), told, todo, _of(alert, "report-live")


def _failures(alert: Alert) -> tuple[str, str, str, str]:
    told = _("The last %(raters)s raters failed %(percent)s%% of their checks.") % alert.data
    if alert.data["before"] is not None:
        told += " " + _("Those before them failed %(before)s%%.") % alert.data
    todo = _(
        "See whether they come from a source of their own, and whether the checks are fair. Pause the study while you "
        "find out."
    )
    return _("more checks are failed"), told, todo, _of(alert, "report-live") + "#raters"


def _stuck(alert: Alert) -> tuple[str, str, str, str]:
    data: dict[str, Any] = alert.data
    told, todo = [], []
    if data["idle"]:
        told.append(
            ngettext(
                "%(waiting)s image waits, and none has been made for %(minutes)s minutes.",
                "%(waiting)s images wait, and none has been made for %(minutes)s minutes.",
                data["waiting"],
            )
        )
        todo.append(_("See that a worker runs (manage.py work, or Celery)."))
    if data["failed"]:
        told.append(ngettext("%(failed)s image has failed.", "%(failed)s images have failed.", data["failed"]))
        told.append(_("The reason of one: %(reason)s"))
        todo.append(_("Mend the cause, then let an administrator try them again."))
    whole = " ".join(told) % (data | {"reason": data["reason"][:300]})
    return _("images are not made"), whole, " ".join(todo), _of(alert, "research-study")


def _of(alert: Alert, name: str) -> str:
    return reverse(name, args=[alert.study.slug])


SAID: dict[str, Callable[[Alert], tuple[str, str, str, str]]] = {
    Kind.FINISHED: _finished,
    Kind.AGREEMENT: _agreement,
    Kind.FAILURES: _failures,
    Kind.STUCK: _stuck,
}
