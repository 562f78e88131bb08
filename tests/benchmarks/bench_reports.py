# ruff: noqa: T201, S608
"""Reports and exports of a large study, against what reading its rows costs by itself; PostgreSQL, in one run.

    DATABASE_URL=postgres://... python tests/benchmarks/bench_reports.py [--judgements 1000000]

Makes a study of that size by SQL in a database of its own (``attest_bench``), which it drops at the end. Each part
runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SERVER = os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
BENCH = SERVER.rsplit("/", 1)[0] + "/attest_bench"
RATERS, TAGS, PLACES = 200, 14, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judgements", type=int, default=1_000_000)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="keep the database for another run")
    options = parser.parse_args()
    if options.part:
        _django()
        PARTS[options.part]()
        return
    if not _reachable():
        print(f"PostgreSQL at {SERVER} does not answer: nothing measured. Set DATABASE_URL.")
        return
    _make(options.judgements)
    try:
        _measure(options.judgements)
    finally:
        if not options.keep:
            _admin("DROP DATABASE IF EXISTS attest_bench WITH (FORCE)")


def _measure(judgements: int) -> None:
    print(f"{judgements:,} judgements, {judgements // PLACES:,} items, {RATERS} raters, {TAGS} tags; PostgreSQL")
    print(f"{'part':<44}{'seconds':>9}{'CPU s':>9}{'peak MB':>9}{'to bare':>9}")
    bare = 0.0
    for part in PARTS:
        environment = os.environ | {"DATABASE_URL": BENCH, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, __file__, "--part", part], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{part} failed:\n{done.stderr[-2000:]}")
        seconds, cpu, peak, before = map(float, done.stdout.split()[-4:])
        bare = bare or seconds
        print(f"{part:<44}{seconds:>9.2f}{cpu:>9.2f}{peak - before:>+9.0f}{seconds / bare:>9.2f}")


def _timed(work: object) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    work()  # type: ignore[operator]
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(seconds, cpu, after.ru_maxrss / 1024, before.ru_maxrss / 1024)


def _bare() -> None:
    """A streamed SELECT of the same judgements, thrown away."""
    from annotation_site.rating.models import Judgement

    fields = ("seat__item_id", "enrolment_id", "rating", "opt_out", "current", "surplus")

    def read() -> None:
        for _ in Judgement.objects.filter(seat__study__slug="bench").order_by().values_list(*fields).iterator(5000):
            pass

    _timed(read)


def _load() -> None:
    from annotation_site.reports.loading import load
    from annotation_site.studies.models import Study

    _timed(lambda: load(Study.objects.get(slug="bench")))


def _rows() -> None:
    from annotation_site.reports import likert
    from annotation_site.reports.loading import load
    from annotation_site.reports.outcomes import outcomes
    from annotation_site.reports.report import RESAMPLES, SEED
    from annotation_site.studies.models import Study

    def rows() -> None:
        data = load(Study.objects.get(slug="bench"))
        which = data.counted()
        given = likert.ratings(data, which)
        rules = likert.Rules(0, SEED, RESAMPLES)
        likert.tag_rows(data.items, outcomes(data, which), given, rules, data.in_use, given)

    _timed(rows)


def _report() -> None:
    from annotation_site.reports.report import build_report
    from annotation_site.studies.models import Study

    _timed(lambda: build_report(Study.objects.get(slug="bench")))


def _export() -> None:
    import pyarrow.csv
    import pyarrow.parquet  # noqa: F401 - its import is no part of the measurement

    from annotation_site.reports.exports.writing import export_study
    from annotation_site.studies.models import Study

    with tempfile.TemporaryDirectory() as folder:
        _timed(lambda: export_study(Study.objects.get(slug="bench"), Path(folder) / "export", images=False))


PARTS = {
    "bare streamed SELECT of the judgements": _bare,
    "the study's columns, read": _load,
    "the per-tag rows, with their intervals": _rows,
    "the whole report, contrasts and raters too": _report,
    "the export, without images": _export,
}


def _django() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "annotation_site.settings"
    import django

    django.setup()


def _reachable() -> bool:
    import psycopg

    try:
        psycopg.connect(SERVER, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def _admin(statement: str) -> None:
    import psycopg

    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]


def _make(judgements: int) -> None:
    """The study's rows, by SQL: random answers that lean by tag, a few opt-outs."""
    import psycopg

    with psycopg.connect(SERVER, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'attest_bench'").fetchone():
            return
        connection.execute("CREATE DATABASE attest_bench")
    migrate = [sys.executable, str(ROOT / "manage.py"), "migrate", "-v0"]
    subprocess.run(migrate, check=True, env=os.environ | {"DATABASE_URL": BENCH})
    _fill(judgements // PLACES)


def _fill(items: int) -> None:
    os.environ["DATABASE_URL"] = BENCH
    _django()
    from django.apps import apps
    from django.db import connection, transaction

    from annotation_site.raters.models import Enrolment, Rater
    from annotation_site.stimuli.models import Prompt, Recipe
    from annotation_site.studies.models import Study
    from attribution import records

    study = Study.objects.create(slug="bench", title="Bench", kind="likert", cap=10**6)
    recipe = Recipe.objects.ensure(records.Recipe(model="none"))
    raters = Rater.objects.bulk_create(Rater() for _ in range(RATERS))
    first = Enrolment.objects.bulk_create(Enrolment(rater=rater, study=study) for rater in raters)[0].pk
    prompt = Prompt.objects.create(text="x" * TAGS, source="bench")
    names = {"study": study.pk, "recipe": recipe.pk, "prompt": prompt.pk, "first": first, "items": items}
    names |= {"raters": RATERS, "tags": TAGS, "places": PLACES}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        for model, source, columns in TABLES:
            cursor.execute(*_insert(apps.get_model(model), source, columns, names))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _insert(model: Any, source: str, columns: dict[str, str], names: dict[str, int]) -> tuple[str, list[Any]]:
    """INSERT ... SELECT of the named columns; every other column of the model takes its field's default."""
    from django.db import connection

    values, defaults = {}, []
    for field in model._meta.concrete_fields:
        if field.name in columns:
            values[field.column] = columns[field.name].format(**names).replace("%", "%%")
        elif not field.primary_key:
            values[field.column] = "%s"
            defaults.append(field.get_db_prep_save(None if field.null else field.get_default(), connection))
    named, source = ", ".join(f'"{column}"' for column in values), source.format(**names).replace("%", "%%")
    return f"INSERT INTO {model._meta.db_table} ({named}) SELECT {', '.join(values.values())} FROM {source}", defaults


TABLES: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "stimuli.Word",
        "generate_series(0, {tags} - 1) n",
        {"prompt": "{prompt}", "index": "n", "text": "'x'", "start": "n", "end": "n + 1", "head": "0"}
        | {"tag": "'TAG' || chr(65 + n)", "lemma": "'x'", "relation": "'dep'"},
    ),
    (
        "stimuli.Generation",
        "generate_series(1, {items}) n",
        {"prompt": "{prompt}", "recipe": "{recipe}", "seed": "n", "identity": "md5(n::text)", "state": "'done'"}
        | {"image": "'i'", "maps": "'m'", "image_sha256": "'x'", "maps_sha256": "'x'", "queued_at": "now()"},
    ),
    (
        "studies.Item",
        "stimuli_generation g JOIN stimuli_word w ON w.index = g.seed % {tags}",
        {"study": "{study}", "generation": "g.id", "word": "w.id", "position": "g.seed"},
    ),
    (
        "rating.Seat",
        "studies_item i, generate_series(0, {places} - 1) r",
        {"study": "{study}", "item": "i.id", "round": "r", "position": "i.position", "state": "'done'"}
        | {"enrolment": "{first} + (i.position * 7 + r * 61) % {raters}"},
    ),
    (
        "rating.Judgement",
        "(SELECT *, random() AS luck, random() + random() + random() AS lean FROM rating_seat) s",
        {"seat": "s.id", "enrolment": "s.enrolment_id", "key": "gen_random_uuid()"}
        | {"rating": "CASE WHEN luck > 0.08 THEN 1 + floor(lean * 1.6 + s.position % 3 * 0.09) END"}
        | {"opt_out": "(ARRAY['image_too_poor', 'word_too_abstract', ''])[(luck > 0.02)::int + (luck > 0.08)::int + 1]"}
        | {"shown_at": "now()", "answered_at": "now()", "browser_milliseconds": "2000 + 3000 * luck"},
    ),
)


if __name__ == "__main__":
    main()
