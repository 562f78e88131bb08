"""The part of a study's page that changes while one looks at it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from annotation_site.rating import assignment
from annotation_site.rating.assignment import database_now
from annotation_site.reports import watching
from annotation_site.research.home import Images, next_step
from annotation_site.studies.access import may_run
from annotation_site.studies.models import Study


def progress_of(request: HttpRequest, study: Any, images: Images) -> dict[str, Any]:
    """The figures, the next step, and what still keeps a draft from opening; ``study`` is counted with its places."""
    runs = may_run(request, study)
    found = assignment.problems(study) if runs and study.state == Study.State.DRAFT else []
    blocked = any(problem.blocks for problem in found)
    next_ = next_step(study, images, may_run=runs)
    told = [study.state, study.places, study.answered, study.simulated, runs, images, next_.text, *map(str, found)]
    return {
        "study": study,
        "now": database_now(),
        "images": images,
        "next": next_,
        "may_run": runs,
        "problems": found,
        "blocked": blocked,
        "shown": f"{study.state}-{'blocked' if blocked else 'ready'}",
        "summary": _summary(study, images),
        "every": _every(study, images),
        "etag": watching.tag(request, told),
    }


def _summary(study: Any, images: Images) -> str:
    if study.state == Study.State.DRAFT:
        return _("%(done)s of %(total)s images made.") % {"done": images.done, "total": images.total}
    told = _("%(done)s of %(total)s places answered.") % {"done": study.answered, "total": study.places}
    return f"{told} {_('The study is closed.')}" if study.state == Study.State.CLOSED else told


def _every(study: Any, images: Images) -> int:
    if images.waiting and study.state != Study.State.CLOSED:
        return watching.SECONDS
    return watching.seconds_between(study, quiet=study.answered >= study.places)
