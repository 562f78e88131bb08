"""What the documented commands run with in place of what is written, and which of them are not run, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StandIn:
    """On a page, ``instead`` for ``written``; ``why`` says what it spares or needs."""

    page: str
    written: str
    instead: str
    why: str


SMALLER = "the same with fewer images, and fewer steps each"
STAND_INS = [
    StandIn("README.md", "--per-tag 200", "--per-tag 1 --steps 1", SMALLER),
    StandIn("README.md", "--dtype float16", "--dtype float32", "a processor draws no half precision"),
    StandIn("README.md", "--out star/", "--out star/ --steps 1", SMALLER),
    StandIn("README.md", "--prompts 500", "--prompts 20", SMALLER),
    StandIn("docs/analyses.md", "--out drawn/", "--out drawn/ --steps 1", SMALLER),
    StandIn("docs/analyses.md", "--seeds 10", "--seeds 1 --steps 2", SMALLER),
    StandIn("docs/analyses.md", "--count 100", "--count 20", SMALLER),
    StandIn("docs/analyses.md", "--prompts 100", "--prompts 20", SMALLER),
    StandIn("docs/designing-a-study.md", "captions tinyworld", "captions captions_val2017.json", "200 of its captions"),
    StandIn("docs/designing-a-study.md", "--per-tag 20", "--per-tag 2 --tags 3 --steps 6", SMALLER),
    StandIn("docs/designing-a-study.md", "--study changes", "--study changes --steps 1", SMALLER),
    StandIn("docs/designing-a-study.md", "work  ", "work --until-empty  ", "else it goes on for ever"),
    StandIn("docs/exporting-for-a-paper.md", "--per-tag 20", "--per-tag 1 --tags 3", SMALLER),
    StandIn("docs/exporting-for-a-paper.md", "ours/", "{ours}", "maps for the words that were drawn above"),
    StandIn("docs/first-study.md", "--per-tag 3 --tags 5", "--per-tag 2 --tags 3 --steps 6", SMALLER),
    StandIn("docs/generating.md", "--out drawn/", "--out drawn/ --steps 1", SMALLER),
    StandIn("docs/generating.md", "--seed 100 --out drawn/", "--seed 100 --out others/", "one step is another recipe"),
    StandIn("docs/on-a-gpu.md", "--per-tag 200", "--per-tag 1 --tags 3 --steps 1", SMALLER),
    StandIn("docs/on-a-gpu.md", "--dtype float16", "--dtype float32", "a processor draws no half precision"),
    StandIn("docs/on-a-gpu.md", "--limit 14", "--limit 1", SMALLER),
    StandIn("docs/on-a-gpu.md", "manage.py work", "manage.py work --until-empty", "else it goes on for ever"),
    StandIn("docs/in-production.md", "restore /data/monday", "restore /data/monday --replace", "the site has rows"),
    StandIn("docs/in-production.md", "/data/", "data/", "a folder of the test's, not of the container"),
    StandIn("docs/in-production.md", "R-XXXXXXXXXX", "{pseudonym}", "that of a rater in the database"),
    StandIn("docs/language.md", "test.conllu", "{treebank}", "a few sentences of the test's own"),
    StandIn("docs/recruiting.md", "KEY", "{bonus}", "a bonus of which the test's Prolific lost the answer"),
]


@dataclass(frozen=True)
class NotRun:
    """Commands that begin so are not run: ``why``, and which file shows that they work all the same."""

    begins: str
    why: str
    shown_by: str


COMPOSE = "tests/annotation_site/operations/test_compose.py"
NOT_RUN = [
    NotRun("make ", "installs, or runs this very suite", "Makefile"),
    NotRun("python3 -m venv", "needs package downloads; make does the same", "Makefile"),
    NotRun(". activate", "the tests run in such an environment", "Makefile"),
    NotRun("pip install", "needs package downloads; make does the same", "Makefile"),
    NotRun("hf download", "downloads gigabytes", "attribution/daam/pipelines.py"),
    NotRun("python -m gunicorn", "serves until it is told to stop", "tests/annotation_site/attacks/served.py"),
    NotRun("gunicorn", "serves until it is told to stop", "tests/annotation_site/attacks/served.py"),
    NotRun("curl", "asks a running site", "tests/annotation_site/api/test_example_client.py"),
    NotRun("git pull", "changes the checkout", COMPOSE),
    NotRun("docker compose build", "needs Docker", COMPOSE),
    NotRun("docker compose up", "needs Docker", COMPOSE),
    NotRun("docker compose run --rm migrate", "needs Docker", COMPOSE),
    NotRun("docker compose stop", "needs Docker", COMPOSE),
    NotRun("python tests/benchmarks/bench_daam_gpu.py", "needs a GPU", "tests/benchmarks/test_bench_daam.py"),
    NotRun("python tests/benchmarks/bench_daam.py", "takes minutes", "tests/benchmarks/test_bench_daam.py"),
    NotRun("python docs/images/make_screenshots.py", "draws for minutes", "tests/annotation_site/browser/conftest.py"),
    NotRun("python tests/annotation_site/catalogue.py", "writes", "tests/annotation_site/test_translations.py"),
    NotRun("python -m attribution.tinyworld.train", "takes hours", "tests/attribution/tinyworld/test_training.py"),
    NotRun("python -m attribution.tinyworld.evaluate", "minutes", "tests/attribution/tinyworld/test_evaluation.py"),
    NotRun("python -m attribution.language.train", "half an hour", "tests/attribution/language/test_train.py"),
]
