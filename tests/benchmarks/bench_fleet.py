"""The fleet beside what it is made of: ``python tests/benchmarks/bench_fleet.py [--only files|processes|claims]``.

files: the tiny world's pairs drawn end to end by a worker (claims, files, hashes, rows) beside the library's own
``attribution.generate`` and beside the pipeline's calls without maps, in turns, the quickest turn of each; also by this
process's seconds of CPU, which say more on a machine that has other work. A whole study: ``--pairs 2800 --rounds 1``.
processes: images a second of 1, 2, ... `manage.py work` at once, from the first finished image to the last.
claims: milliseconds of a claim of 32 among few and many queued rows, of one that finds nothing beside as many finished
rows, and of the look whether anything waits. Statistics are those of the small table, as after a large import.
All on PostgreSQL (TEST_POSTGRES), and each printed as a ratio within this run, with the load average.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from databases import scratch_database

ROOT = Path(__file__).resolve().parents[2]
CLAIM, HOUR = 32, timedelta(hours=1)
# What claims, files, rows and maps may cost beside the bare pipeline.
LIMIT = 1.1
ROWS = """
INSERT INTO stimuli_generation (prompt_id, recipe_id, seed, identity, state, priority, held, attempts, deaths,
                                claimed_by, error, image, maps, image_sha256, maps_sha256, origin, queued_at)
SELECT %(prompt)s, %(recipe)s, n, md5(n::text), %(state)s, 0, false, 0, 0, '', '', 'i', 'm', '0', '0', '', now()
FROM generate_series(%(first)s, %(end)s - 1) n
"""


def recipe(steps: int) -> Any:
    from attribution import records

    return records.Recipe(model="tinyworld", steps=steps, guidance=3.0, height=64, width=64)


def queue(pairs: int, steps: int, slug: str) -> list[str]:
    """A study of so many pairs, to be drawn; its prompts."""
    from annotation_site.stimuli.models import Recipe
    from annotation_site.studies.building import Stimulus, build_study
    from attribution import records

    texts = [f"a red star and a blue house {number} of {slug}" for number in range(pairs)]
    word = records.Word("star", 6, 10, "NOUN", "star", 0, "root")
    build_study(
        slug=slug, title=slug, kind="likert", recipe=Recipe.objects.ensure(recipe(steps)), seed=0, source="benchmark",
        stimuli=[Stimulus(records.Prompt(text, (word,)), 0) for text in texts],
    )  # fmt: skip
    return texts


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def without_maps(texts: list[str], steps: int, group: int) -> None:
    """The pipeline's own calls, in groups of the same size, decoded; the last group is filled up as a worker's is."""
    import torch

    from attribution.daam.pipelines import kept_pipeline

    pipeline = kept_pipeline(recipe(steps))
    for first in range(0, len(texts), group):
        prompts = (texts[first : first + group] * group)[:group]
        generators = [torch.Generator().manual_seed(seed) for seed in range(group)]
        pipeline(prompts, num_inference_steps=steps, guidance_scale=3.0, height=64, width=64, generator=generators)


def with_maps(texts: list[str], steps: int) -> int:
    """The library alone; the size of its groups."""
    import attribution

    drawn = list(attribution.generate(recipe(steps), texts, list(range(len(texts)))))
    return drawn[0].together


def by_the_fleet() -> None:
    from annotation_site.stimuli.models import Generation
    from annotation_site.worker.generation import BATCH, precompute

    precompute(Generation.objects.all(), batch_size=BATCH)


def measure_files(options: argparse.Namespace) -> None:
    """Turns of each way, the quickest of which count; the first turn of all warms up."""
    group = with_maps(queue(8, options.steps, "warm"), options.steps)
    by_the_fleet()
    ways: dict[str, Callable[[list[str]], object]] = {
        "pipeline, without maps": lambda texts: without_maps(texts, options.steps, group),
        "attribution.generate": lambda texts: with_maps(texts, options.steps),
        "a worker": lambda texts: by_the_fleet(),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(options.rounds):
        texts = queue(options.pairs, options.steps, f"turn-{turn}")
        for name, way in ways.items():
            cpu = time.process_time()
            seconds = timed(lambda way=way, texts=texts: way(texts))
            taken[name].append((seconds, time.process_time() - cpu))
    write(f"{options.pairs} pairs of the tiny world, {options.steps} steps, groups of {group}")
    best = {name: tuple(map(min, zip(*turns, strict=True))) for name, turns in taken.items()}
    bare, library = best["pipeline, without maps"], best["attribution.generate"]
    for name, (seconds, cpu) in best.items():
        write(
            f"  {name:26}{options.pairs / seconds:9.2f} images/s, of the pipeline{seconds / bare[0]:7.3f} "
            f"(CPU{cpu / bare[1]:7.3f}), of the library{seconds / library[0]:7.3f} (CPU{cpu / library[1]:7.3f})"
            + (f"  limit {LIMIT}" if name == "a worker" else "")
        )


def measure_processes(options: argparse.Namespace) -> None:
    write(f"{options.pairs} pairs, {options.steps} steps, by processes with one thread each")
    alone = 0.0
    for number in range(1, options.processes + 1):
        queue(options.pairs, options.steps, f"shared-{number}")
        speed = _speed(number)
        alone = alone or speed
        write(f"  {number} processes{speed:16.2f} images/s{speed / alone:9.3f} of one")


def _speed(number: int) -> float:
    """Images a second while all of them draw: loading torch and the model is not counted."""
    from annotation_site.stimuli.models import Generation

    before = set(Generation.objects.filter(state="done").values_list("pk", flat=True))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    # Small batches, so that no process is left with the last ones alone.
    command = [sys.executable, "manage.py", "precompute", f"shared-{number}", "--batch-size", "4"]
    workers = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(number)
    ]
    codes = [worker.wait() for worker in workers]
    if any(codes):
        raise SystemExit("A worker ended with an error: run it by hand to see which.")
    ended = sorted(Generation.objects.exclude(pk__in=before).filter(state="done").values_list("done_at", flat=True))
    return (len(ended) - 1) / (ended[-1] - ended[0]).total_seconds()


def measure_claims(options: argparse.Namespace) -> None:
    from django.db import connection

    write(f"a claim of {CLAIM}, in ms (the quickest quarter of {options.claims})")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE; ALTER TABLE stimuli_generation SET (autovacuum_enabled = false)")
    first, made = None, 0
    for rows in options.rows:
        made = _fill("queued", made, rows)
        first = _row(f"{rows:,} queued", first, options.claims)
    _explain()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE stimuli_generation SET state = 'done'")
        cursor.execute("VACUUM stimuli_generation")
    _row(f"none queued, {made:,} done", first, options.claims)


def _fill(state: str, made: int, rows: int) -> int:
    """So many rows in all, of one prompt."""
    from django.db import connection

    from annotation_site.stimuli.models import Prompt, Recipe

    prompt = Prompt.objects.get_or_create(text="a star", source="benchmark")[0]
    values = {"prompt": prompt.pk, "recipe": Recipe.objects.ensure(recipe(1)).pk, "state": state}
    with connection.cursor() as cursor:
        cursor.execute(ROWS, {**values, "first": made, "end": rows})
        cursor.execute("CHECKPOINT")
    return rows


def _row(name: str, first: tuple[float, float] | None, claims: int) -> tuple[float, float]:
    """A line with the ratio to the ``first`` one, which is returned."""
    from django.utils import timezone

    from annotation_site.stimuli.models import Generation
    from annotation_site.worker.generation import waiting

    everything, claim, look = Generation.objects.all(), [], []
    for _ in range(claims):
        claim.append(
            timed(lambda: everything.claim(worker="benchmark", limit=CLAIM, now=timezone.now(), lease=HOUR)) * 1000
        )
        everything.give_back("benchmark")
        look.append(timed(lambda: waiting(timezone.now())) * 1000)
    found = sorted(claim)[claims // 4], sorted(look)[claims // 4]
    base = first or found
    write(
        f"  {name:30}claim{found[0]:9.2f}{found[0] / base[0]:8.2f} of the first"
        f"   anything waiting?{found[1]:9.2f}{found[1] / base[1]:8.2f} of the first"
    )
    return base


def _explain() -> None:
    from annotation_site.stimuli.models import Generation

    plan = Generation.objects.all().queued().values_list("pk", "recipe", "deaths")[:CLAIM].explain()
    write("  " + plan.replace("\n", "\n  "))


@contextmanager
def own_files() -> Iterator[None]:
    """A folder for the files, on the disk that the site's would lie on."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ATTEST_DATA"] = folder
        yield


def write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


PARTS = {"files": measure_files, "processes": measure_processes, "claims": measure_claims}


def main() -> None:
    """Measure the parts asked for, each in an empty database."""
    parser = argparse.ArgumentParser(description="The fleet beside what it is made of.")
    parser.add_argument("--only", choices=PARTS, help="one part alone (default: all)")
    parser.add_argument("--pairs", type=int, default=24, help="images a turn (default: 24)")
    parser.add_argument("--steps", type=int, default=20, help="denoiser steps of an image (default: 20)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each way of drawing (default: 3)")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--processes", type=int, default=cores, help="workers at once, at most (default: the cores)")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 1_000_000], help="queued rows, ascending")
    parser.add_argument("--claims", type=int, default=100, help="claims of each size (default: 100)")
    options = parser.parse_args()
    with own_files(), scratch_database("attest_bench_fleet"):
        for name in [options.only] if options.only else PARTS:
            PARTS[name](options)
            write(f"  load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
