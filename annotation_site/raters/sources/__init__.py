"""One door for every rater: where they come from, how they say who they are, how they end, and who pays.

A kind of source is an object of :class:`~annotation_site.raters.sources.kinds.SourceKind`; those built in are the open
link, invitations and URL parameters, and a package above may register another (recruitment registers Prolific).
"""

from annotation_site.raters.source_rows import Invitation, Outcome, Source
from annotation_site.raters.sources.enrolling import NotTaken, enrol_arrival, find_arrival, is_full
from annotation_site.raters.sources.kinds import Arrival, ArrivalProblem, End, SourceKind, kind_of, register

__all__ = [
    "Arrival",
    "ArrivalProblem",
    "End",
    "Invitation",
    "NotTaken",
    "Outcome",
    "Source",
    "SourceKind",
    "enrol_arrival",
    "find_arrival",
    "is_full",
    "kind_of",
    "register",
]
