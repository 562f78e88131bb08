"""Taking back seats that raters hold unanswered, all of a study or one rater's."""

from __future__ import annotations

from django.db.models import Count, Max, QuerySet

from annotation_site.raters.models import Enrolment
from annotation_site.rating import assignment
from annotation_site.rating.models import Seat
from annotation_site.studies.models import Study

# A page lists no more raters; all of them at once can still be taken from.
LISTED = 200
EVERYBODY = "everybody"


def holders(study: Study) -> QuerySet[Enrolment]:
    """Raters who hold seats unanswered, each with how many (``held``) and until when (``until``); a page of them."""
    leased = Enrolment.objects.filter(study=study, seats__state=Seat.State.LEASED).select_related("rater")
    return leased.annotate(held=Count("seats"), until=Max("seats__leased_until")).order_by("pk")[:LISTED]


def release(study: Study, rater: str, reason: str) -> str:
    """Take back the seats of the rater with this pseudonym, or of EVERYBODY in the study; what was done, in words.

    Raises Enrolment.DoesNotExist for a pseudonym that is not in the study.
    """
    if rater == EVERYBODY:
        return f"{_places(assignment.release_study(study, reason=reason))} free again, from all raters."
    enrolment = Enrolment.objects.select_related("study", "rater").get(study=study, rater__pseudonym=rater)
    return f"{_places(assignment.take_back(enrolment, reason=reason))} free again, from {rater}."


def _places(number: int) -> str:
    return "1 place is" if number == 1 else f"{number} places are"
