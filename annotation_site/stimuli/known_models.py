"""Which models a new study may be drawn by: one rule for the wizard and the API.

A model that nobody has tried here is fetched and run by a worker, so an admin is who names it first. Researchers choose
among those that the site ships, is set to, or has used before.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from annotation_site.accounts.roles import is_admin
from annotation_site.stimuli.models import Recipe
from attribution.errors import PipelineError
from attribution.presets import SHIPPED, preset

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


class ModelRefused(Exception):
    """The user may not name this model; the message says which ones they may."""


def known_models() -> dict[str, str]:
    """Titles by ``model`` or ``model@revision``: shipped, set for the site, and used before."""
    found = {}
    for name in dict.fromkeys([settings.ATTEST_MODEL, *SHIPPED]):
        try:
            found[name] = preset(name).title
        except PipelineError:
            continue  # A damaged card is the doctor's to name.
    used = Recipe.objects.order_by("model", "revision").values_list("model", "revision", "model_title").distinct()
    for name, revision, title in used:
        # The revision of a folder is found out anew; that of a hub id pins its weights.
        local = name in found or name.startswith(("/", "."))
        found.setdefault(name if local or not revision else f"{name}@{revision}", title or name)
    return found


def require_allowed(model: str, revision: str, user: Any) -> None:
    """Raise ModelRefused unless the user may have images drawn by this model at this revision."""
    known = known_models()
    if (f"{model}@{revision}" if revision else model) in known or _was_used(model, revision):
        return
    given = {"model": f"{model}@{revision}" if revision else model, "known": ", ".join(known)}
    if not is_admin(user):
        raise ModelRefused(
            _("“%(model)s” is none of this site's models: %(known)s. An administrator can add others.") % given
        )
    # A name, never a path: what lies on this machine is nobody's to try from afar.
    if not HUB_ID.fullmatch(model) or Path(model).exists():
        raise ModelRefused(_("“%(model)s” is neither one of this site's models (%(known)s) nor a hub id.") % given)


def _was_used(model: str, revision: str) -> bool:
    return bool(revision) and Recipe.objects.filter(model=model, revision=revision).exists()
