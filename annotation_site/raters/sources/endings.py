"""How a rater's part ends: the code to show and the address that leads back to where they came from."""

from __future__ import annotations

from annotation_site.raters import identities
from annotation_site.raters.models import Enrolment
from annotation_site.raters.source_rows import PLACEHOLDERS, Outcome
from annotation_site.raters.sources.kinds import Arrival, End, kind_of


def ending(enrolment: Enrolment, outcome: Outcome) -> End:
    """What this rater gets for this outcome: by their source, or by the study for those who came without one."""
    source = enrolment.arrived_by
    if source is None:
        return _by_the_study(enrolment, outcome)
    address = source.ends.get(outcome, {}).get("address", "")
    # Decrypted only where the address needs them.
    needed = [name for name in PLACEHOLDERS[1:] if f"{{{name}}}" in address]
    ids = {name: identities.reveal(enrolment, name) or "" for name in needed}
    return kind_of(source).end(source, outcome, Arrival(**ids))


def _by_the_study(enrolment: Enrolment, outcome: Outcome) -> End:
    # Who came when nothing was left is thanked like those who took part.
    if outcome in (Outcome.COMPLETE, Outcome.FULL):
        return End(enrolment.study.completion_code)
    return End(enrolment.study.screen_out_code if outcome == Outcome.SCREENED_OUT else "")
