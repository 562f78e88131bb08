"""How much a rater has done, and may still do. Nothing here grows with the seats behind them."""

from __future__ import annotations

from django.db import connection
from django.db.models import IntegerField
from django.db.models.expressions import RawSQL

from annotation_site.raters.models import Enrolment
from annotation_site.rating.assignment import hints
from annotation_site.rating.models import Seat

# Written out: the ORM took longer to write these than the database to answer, at each page. The rater's seats have no
# gaps in their numbers, so the last number counts them. Withdrawn items, which are few, are looked up in the rater's
# seats one by one, whatever the planner thinks of the way round.
LAST = """
    COALESCE((SELECT ordinal FROM rating_seat WHERE enrolment_id = %s AND ordinal IS NOT NULL
              ORDER BY ordinal DESC LIMIT 1), 0)
"""
ANSWERED = f"""
    SELECT {LAST}
         - (SELECT count(*) FROM studies_item item
            WHERE item.study_id = %s AND item.withdrawn_at IS NOT NULL AND item.purpose = ''
            AND COALESCE((SELECT 1 FROM rating_seat WHERE enrolment_id = %s AND item_id = item.id
                          AND state = 'done' LIMIT 1), 0) = 1)
"""  # noqa: S608 - of constants
LEASED = """
    SELECT count(*) FROM rating_seat seat JOIN studies_item item ON item.id = seat.item_id
    WHERE seat.enrolment_id = %s AND seat.state = 'leased' AND item.withdrawn_at IS NULL
    AND item.purpose = ''
"""
GIVEN = "SELECT count(*) FROM rating_judgement WHERE seat_id = %s AND enrolment_id = %s"


def places_left(enrolment: Enrolment) -> int:
    """How many more seats the study's cap allows this rater; leases and answers both count, checks do not."""
    mine, study = enrolment.pk, enrolment.study_id
    return (enrolment.study.cap or 0) - _count(f"SELECT ({ANSWERED}) + ({LEASED})", mine, study, mine, mine)


def answered(enrolment: Enrolment) -> int:
    """How many items in use this rater has judged, each in a seat of its own."""
    return _count(ANSWERED, enrolment.pk, enrolment.study_id, enrolment.pk)


def progress(enrolment: Enrolment) -> tuple[int, int]:
    """Judgements given, and how many this rater may give: the cap, or all items if there are fewer."""
    return answered(enrolment), min(enrolment.study.cap or 0, hints.items_in_use(enrolment.study_id))


def given(seat: Seat, enrolment: Enrolment) -> int:
    """How many answers this rater gave in this seat, one a revision."""
    return _count(GIVEN, seat.pk, enrolment.pk)


def next_ordinal(enrolment: Enrolment) -> RawSQL:
    """The number of the seat that the rater fills next."""
    return RawSQL(f"{LAST} + 1", [enrolment.pk], output_field=IntegerField())  # noqa: S611 - a constant


def _count(statement: str, *parameters: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.fetchone()[0])
