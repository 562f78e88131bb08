"""The claim at a million items beside the claim at 2,800: it must not grow with what lies in the tables.

``python tests/benchmarks/bench_claim.py [--items 1000000] [--claims 300]``; needs PostgreSQL (TEST_POSTGRES). Rows are
made by SQL. Statistics are stale on purpose: the tables were analysed when they were small, and never since; vacuum
runs where the site's settings of the seat table would have had it run, after 5,000 seats.
Printed are milliseconds of a claim, within the database and as a whole, and their ratio to the small study's.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from databases import scratch_database

SMALL, SEATS, BEHIND, LAST = 2_800, 3, 200_000, 5_000

ITEMS = """
INSERT INTO studies_item (study_id, generation_id, word_id, condition, purpose, arm, map_source, map_file, map_sha256,
                          swap_set, position)
SELECT %(study)s, %(generation)s, %(word)s, '', '', 'arm ' || n, 'own', '', '', '', n
FROM generate_series(0, %(items)s - 1) n
"""
FREE_SEATS = """
INSERT INTO rating_seat (study_id, item_id, round, position, state, ahead)
SELECT study_id, id, round, position, 'free', false
FROM studies_item CROSS JOIN generate_series(0, %(seats)s - 1) round WHERE study_id = %(study)s ORDER BY round, position
"""
FILL = """
UPDATE rating_seat SET state = 'done', enrolment_id = %(enrolment)s, ordinal = position - %(first)s + 1
WHERE study_id = %(study)s AND round = 0 AND position >= %(first)s AND position < %(end)s
"""
JUDGE = """
INSERT INTO rating_judgement (seat_id, enrolment_id, key, revision, current, surplus, rating, opt_out, change,
                              shown_at, answered_at, views, locale, viewport, renderer)
SELECT id, enrolment_id, gen_random_uuid(), 1, true, false, 3, '', '', now(), now(), '[]', '', '', ''
FROM rating_seat WHERE enrolment_id = %(enrolment)s AND state = 'done'
"""


def sql(statement: str, **values: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def make_study(slug: str, items: int) -> Any:
    """An open study of ``items`` items of one word, with all seats free."""
    from annotation_site.stimuli.models import Generation, Prompt, Recipe, Word
    from annotation_site.studies.models import Study
    from attribution import records

    study = Study.objects.create(
        slug=slug, title=slug, kind="likert", state="open", seats_per_item=SEATS, cap=int(0.18 * items * SEATS)
    )
    prompt = Prompt.objects.get_or_create(text="a dog", source="benchmark")[0]
    fields = {"text": "dog", "start": 2, "end": 5, "tag": "NOUN", "lemma": "dog", "head": 1, "relation": "root"}
    word = Word.objects.get_or_create(prompt=prompt, index=1, defaults=fields)[0]
    recipe = Recipe.objects.ensure(records.Recipe(model="benchmark", steps=1, height=64, width=64))
    files = {"image": "i", "maps": "m", "image_sha256": "0", "maps_sha256": "0"}
    made = {"prompt": prompt, "recipe": recipe, "seed": 0, "state": "done", **files}
    generation = Generation.objects.get_or_create(identity="0", defaults=made)[0]
    sql(ITEMS, study=study.pk, generation=generation.pk, word=word.pk, items=items)
    sql(FREE_SEATS, study=study.pk, seats=SEATS)
    return study


def enrol(study: Any) -> Any:
    from annotation_site.raters.models import Enrolment, Rater

    return Enrolment.objects.create(rater=Rater.objects.create(), study=study)


def fill(study: Any, enrolment: Any, first: int, end: int) -> None:
    """The rater has judged the items of positions ``first`` to ``end``."""
    sql(FILL, study=study.pk, enrolment=enrolment.pk, first=first, end=end)
    sql(JUDGE, enrolment=enrolment.pk)


class Timed:
    """Milliseconds of claims: within the database, and in all."""

    def __init__(self) -> None:
        self.database: list[float] = []
        self.whole: list[float] = []

    def claims(self, enrolment: Any, count: int) -> Timed:
        """Claim and give back ``count`` times; the giving back is not timed."""
        from django.db import connection

        from annotation_site.rating import assignment
        from annotation_site.rating.assignment.leases import FREED

        rng = random.Random(0)
        for _ in range(count):
            with connection.execute_wrapper(self._execute):
                self.database.append(0.0)
                began = time.perf_counter()
                seat = assignment.claim_next(enrolment, rng=rng)
                self.whole.append(1000 * (time.perf_counter() - began))
            if seat is None:
                raise SystemExit("The claim found no seat where there are free ones.")
            type(seat).objects.filter(pk=seat.pk).update(**FREED)
        return self

    def _execute(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            self.database[-1] += 1000 * (time.perf_counter() - began)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def report(rows: dict[str, Timed]) -> None:
    """A line for each case, with the ratio of its 95th percentile to the first one's."""
    columns = ("database p50", "p95", "ratio", "whole p50", "p95", "ratio")
    sys.stdout.write(f"{'claim, ms':46}" + "".join(f"{column:>14}" for column in columns) + "\n")
    first = next(iter(rows.values()))
    for name, timed in rows.items():
        cells = []
        for values, base in ((timed.database, first.database), (timed.whole, first.whole)):
            p95 = percentile(values, 0.95)
            cells += [percentile(values, 0.5), p95, p95 / percentile(base, 0.95)]
        sys.stdout.write(f"{name:46}" + "".join(f"{cell:14.2f}" for cell in cells) + "\n")
    sys.stdout.write(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")


def measure(items: int, claims: int) -> dict[str, Timed]:
    small = make_study("small", SMALL)
    sql("ANALYZE")
    for table in ("rating_seat", "rating_judgement", "studies_item", "raters_enrolment"):
        sql(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    Timed().claims(enrol(small), 20)  # warms up
    rows = {f"{SMALL:,} items": Timed().claims(enrol(small), claims)}
    large = make_study("large", items)
    rows[f"{items:,} items"] = settled().claims(enrol(large), claims)
    busy, behind = enrol(large), min(BEHIND, items // 2)
    fill(large, busy, 0, behind)
    rows[f"the same, a rater with {behind:,} seats behind"] = settled().claims(busy, claims)
    fill(large, enrol(large), behind, items - LAST)
    sql("VACUUM rating_seat")
    fill(large, enrol(large), items - LAST, items - 100)
    rows["the same, all but 100 of the round taken"] = settled().claims(busy, claims)
    fill(large, enrol(large), items - 100, items)
    rows["the same, the whole round taken"] = settled().claims(busy, claims)
    return rows


def settled() -> Timed:
    """Once what the last bulk statement left to write is written."""
    sql("CHECKPOINT")
    return Timed()


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description="The claim at a million items beside the claim at 2,800.")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--claims", type=int, default=300)
    options = parser.parse_args()
    with scratch_database("attest_bench_claim"):
        report(measure(options.items, options.claims))


if __name__ == "__main__":
    main()
