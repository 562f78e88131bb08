"""What must hold of a study at every moment, asked of the database in SQL."""

from __future__ import annotations

from typing import Any

from django.db import connection

from annotation_site.studies.models import Study

# Each names what is wrong with the rows that it selects; right is none. The parameter is the study.
INVARIANTS = {
    "a rater holds two seats of one item": """
        SELECT enrolment_id, item_id FROM rating_seat WHERE study_id = %s AND enrolment_id IS NOT NULL
        GROUP BY enrolment_id, item_id HAVING count(*) > 1""",
    "an item has more judgements counted than seats": """
        SELECT s.item_id FROM rating_judgement j JOIN rating_seat s ON s.id = j.seat_id
        JOIN studies_item i ON i.id = s.item_id JOIN studies_study t ON t.id = i.study_id
        WHERE t.id = %s AND i.purpose = '' AND j.current AND NOT j.surplus
        GROUP BY s.item_id, t.seats_per_item HAVING count(*) > t.seats_per_item""",
    "a seat has two current judgements that count": """
        SELECT j.seat_id FROM rating_judgement j JOIN rating_seat s ON s.id = j.seat_id
        WHERE s.study_id = %s AND j.current AND NOT j.surplus GROUP BY j.seat_id HAVING count(*) > 1""",
    "a done seat has no current judgement of its holder": """
        SELECT s.id FROM rating_seat s LEFT JOIN rating_judgement j
        ON j.seat_id = s.id AND j.enrolment_id = s.enrolment_id AND j.current AND NOT j.surplus
        WHERE s.study_id = %s AND s.state = 'done' AND j.id IS NULL""",
    "a judgement counts in a seat that is not its rater's for good": """
        SELECT j.id FROM rating_judgement j JOIN rating_seat s ON s.id = j.seat_id
        WHERE s.study_id = %s AND NOT j.surplus AND (s.state <> 'done' OR s.enrolment_id <> j.enrolment_id)""",
    "a rater passes the cap": """
        SELECT s.enrolment_id FROM rating_seat s JOIN studies_item i ON i.id = s.item_id
        JOIN studies_study t ON t.id = s.study_id
        WHERE t.id = %s AND s.enrolment_id IS NOT NULL AND i.purpose = '' AND i.withdrawn_at IS NULL
        GROUP BY s.enrolment_id, t.cap HAVING count(*) > t.cap""",
    "a submission is stored twice": """
        SELECT j.key FROM rating_judgement j JOIN rating_seat s ON s.id = j.seat_id
        WHERE s.study_id = %s GROUP BY j.enrolment_id, j.key HAVING count(*) > 1""",
    "a rater's revisions in a seat are not 1, 2, ... with the last one current": """
        SELECT j.seat_id, j.enrolment_id FROM rating_judgement j JOIN rating_seat s ON s.id = j.seat_id
        WHERE s.study_id = %s GROUP BY j.seat_id, j.enrolment_id
        HAVING min(j.revision) <> 1 OR max(j.revision) <> count(*)
        OR sum(CASE WHEN j.current THEN 1 ELSE 0 END) <> 1
        OR max(CASE WHEN j.current THEN j.revision ELSE 0 END) <> count(*)""",
    "a rater holds more than a current seat and one ahead": """
        SELECT enrolment_id FROM rating_seat WHERE study_id = %s AND state = 'leased'
        GROUP BY enrolment_id HAVING count(*) > 2 OR sum(CASE WHEN ahead THEN 0 ELSE 1 END) > 1""",
    "a rater's done seats are not numbered 1, 2, ...": """
        SELECT s.enrolment_id FROM rating_seat s JOIN studies_item i ON i.id = s.item_id
        WHERE s.study_id = %s AND s.state = 'done' AND i.purpose = ''
        GROUP BY s.enrolment_id HAVING min(s.ordinal) <> 1 OR max(s.ordinal) <> count(*)
        OR count(DISTINCT s.ordinal) <> count(*)""",
    "a seat is free and held, or leased without an end": """
        SELECT id FROM rating_seat WHERE study_id = %s AND ((state IN ('free', 'pending')) <> (enrolment_id IS NULL)
        OR (state = 'leased') <> (leased_until IS NOT NULL))""",
}


def broken(study: Study, database: Any = connection) -> dict[str, list[tuple[object, ...]]]:
    """What is wrong with the study, with the rows at fault; ``database`` is any connection to a copy of it."""
    with database.cursor() as cursor:
        found = {}
        for name, statement in INVARIANTS.items():
            cursor.execute(statement, [study.pk])
            if rows := cursor.fetchall():
                found[name] = rows
        return found


def assert_invariants(study: Study) -> None:
    assert broken(study) == {}
