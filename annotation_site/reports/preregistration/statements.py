"""What only the researchers can say: free text, registered with the settings."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LONGEST = 20_000
# Name, the question, and what helps to answer it; in the order in which they are asked and written down.
STATEMENTS: dict[str, tuple[str | Promise, str | Promise]] = {
    "hypotheses": (
        _("What do you ask, and what do you expect?"),
        _("One hypothesis a line, each with the direction of its effect."),
    ),
    "analyses": (
        _("Which of the analyses below decide about each hypothesis?"),
        _("The report computes all that the study's settings say; name what confirms and what explores."),
    ),
    "sample": (
        _("Why this size, and when does collecting stop?"),
        _("The planned numbers are registered by themselves; say what they rest on, and what ends collecting early."),
    ),
    "exclusions": (
        _("What else would make you leave answers out?"),
        _("The study's own rules are registered by themselves; name here what no rule of it does."),
    ),
    "other": (_("Anything else"), _("Pilots, earlier data, deviations that you foresee, funding.")),
}


def tidy(statements: Mapping[str, str]) -> dict[str, str]:
    """Every statement, with one kind of line end and nothing around it; raises ValueError for what is no statement."""
    unknown = sorted(set(statements) - set(STATEMENTS))
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: none of {', '.join(STATEMENTS)}.")
    kept = {name: "\n".join(statements.get(name, "").splitlines()).strip() for name in STATEMENTS}
    for name, text in kept.items():
        if len(text) > LONGEST:
            raise ValueError(f"{name} has {len(text)} characters: say it in {LONGEST}.")
    return kept
