"""Studies made of real rows and real files, for the site's tests."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import TransactionTestCase, override_settings
from django.utils import timezone, translation
from PIL import Image

from annotation_site import guards
from annotation_site.celery import app
from annotation_site.rating import assignment
from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation, Recipe
from annotation_site.studies.building import Stimulus, build_study
from annotation_site.studies.models import Study
from attribution import records
from attribution.maps import Alignment, HeatMaps, Token

# Bells rung by the tests themselves wake nobody; processes that a test starts are given a broker by it.
app.conf.broker_url = "memory://"
HERE = Path(__file__).resolve().parent
TAGS = ("NOUN", "VERB", "ADJ", "DET")
# Pages, files and forms: what they ask of a database is asked of PostgreSQL by the tests of what stands behind them.
ONCE_IS_ENOUGH = (
    "accounts",
    "analyses",
    "importing",
    "payments/test_pages.py",
    "raters/test_views_home.py",
    "raters/test_views_join.py",
    "rating/test_change.py",
    "rating/test_practice.py",
    "rating/test_views_done.py",
    "rating/test_views_rate.py",
    "recruitment/test_pages.py",
    "reports/test_planning_page.py",
    "reports/test_report_files.py",
    "reports/test_report_pages.py",
    "research/test_wizard.py",
    "stimuli/test_views.py",
    "studies/test_maps.py",
    "studies/test_texts.py",
    "studies/test_views_map.py",
    "worker/test_cohyponym_study.py",
    "worker/test_sample_pairs.py",
)
QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, leave out what was tested on SQLite and has nothing to do with the database."""
    if connection.vendor == "sqlite":
        return
    once = {item for item in items if HERE in item.path.parents and _is_database_free(item)}
    config.hook.pytest_deselected(items=list(once))
    items[:] = [item for item in items if item not in once]


def _is_database_free(item: pytest.Item) -> bool:
    if str(item.path.relative_to(HERE)).startswith(ONCE_IS_ENOUGH) or item.get_closest_marker("any_database"):
        return True
    uses = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return not uses and item.get_closest_marker("django_db") is None


@pytest.fixture(scope="session", autouse=True)
def _emptied_by_deleting() -> Iterator[None]:
    """After a test that commits, delete its few rows: PostgreSQL takes fifty times as long to truncate every table.

    A replica's session checks no foreign keys and fires no triggers, the ledger's among them; a superuser alone may be
    one, and another's tests truncate as Django does.
    """

    def deleting(self, style, tables, *, reset_sequences=False, allow_cascade=False):
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            if reset_sequences or not cursor.fetchone()[0]:
                return truncating(self, style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade)
        rows = (f"DELETE FROM {self.quote_name(table)}" for table in tables)  # noqa: S608 - the models' own names
        return ["SET LOCAL session_replication_role = replica", *rows]

    def emptied(self):
        # At the end of a test alone: what empties the database within one, such as a restore, does it as always.
        with mock.patch.object(DatabaseOperations, "sql_flush", deleting):
            tear_down(self)

    truncating, tear_down = DatabaseOperations.sql_flush, TransactionTestCase._fixture_teardown
    with mock.patch.object(TransactionTestCase, "_fixture_teardown", emptied):
        yield


@pytest.fixture(scope="module")
def module_rows(django_db_setup, django_db_blocker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable]:
    """``module_rows(make)``: what ``make()`` returns, its rows and files made once for all tests of the module.

    Each test still undoes its own changes: they are a savepoint in the transaction that ends with the module. Tests
    that commit (transactional_db) cannot see such rows.
    """
    media = tmp_path_factory.mktemp("module") / "media"
    with django_db_blocker.unblock():
        whole = transaction.atomic()
        whole.__enter__()

    def keep(make: Callable) -> object:
        quick = {"MEDIA_ROOT": media, "PASSWORD_HASHERS": QUICK_HASHERS}
        with django_db_blocker.unblock(), override_settings(**quick):
            return make()

    keep.media = media
    yield keep
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        whole.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def _own_media_folder(request: pytest.FixtureRequest, settings, tmp_path: Path) -> None:
    shared = "module_rows" in request.fixturenames
    settings.MEDIA_ROOT = request.getfixturevalue("module_rows").media if shared else tmp_path / "media"


@pytest.fixture(autouse=True)
def _quick_passwords(settings) -> None:
    """Hashing that is slow on purpose would be a fifth of the suite's time."""
    settings.PASSWORD_HASHERS = QUICK_HASHERS


@pytest.fixture(autouse=True)
def _no_list_of_static_files(settings) -> None:
    """Each test's client would first list all static files: find the one that is asked for instead."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test outlives a power cut, so none waits until its files are on the disk; processes that it starts do."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Hints and throttles of an earlier test, whose rows had the same ids, are forgotten; so is its last language."""
    cache.clear()
    translation.deactivate()


def sentence(number: int) -> records.Prompt:
    """'a red dog 7 runs': its words, with offsets, tags and a plausible tree."""
    texts = ["a", "red", "dog", str(number), "runs"]
    tags = ["DET", "ADJ", "NOUN", "NUM", "VERB"]
    heads = [2, 2, 4, 2, 4]
    relations = ["det", "amod", "nsubj", "nummod", "root"]
    text, words = " ".join(texts), []
    for index, word in enumerate(texts):
        start = len(" ".join(texts[:index])) + (index > 0)
        words.append(records.Word(word, start, start + len(word), tags[index], word, heads[index], relations[index]))
    return records.Prompt(text, tuple(words), source_id=str(number))


def likert_stimuli(count: int) -> list[Stimulus]:
    index = {"DET": 0, "ADJ": 1, "NOUN": 2, "VERB": 4}
    return [Stimulus(sentence(number), index[TAGS[number % len(TAGS)]]) for number in range(count)]


def presence_stimuli(count: int) -> list[Stimulus]:
    conditions = ("cohyponyms", "non-cohyponyms")
    return [Stimulus(sentence(n), 1, second_word=2, condition=conditions[n % 2]) for n in range(count)]


def png(colour: tuple[int, int, int] = (200, 60, 60), size: int = 64) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(buffer, "PNG")
    return buffer.getvalue()


def map_files(prompt: str) -> tuple[bytes, bytes]:
    """The npz and the JSON of maps in which the i-th word's heat is a blob that moves to the right with i."""
    tokens, start = [], 0
    for word in prompt.split(" "):
        tokens.append(Token(word, start, start + len(word)))
        start += len(word) + 1
    y, x = np.mgrid[0:16, 0:16]
    blobs = [np.exp(-((x - 3 * i - 2) ** 2 + (y - 8) ** 2) / 18.0) for i in range(len(tokens))]
    kept = tuple(range(len(tokens)))
    maps = np.stack(blobs).astype(np.float32)
    return HeatMaps(maps, Alignment(prompt, tuple(tokens)), kept, steps=2, layers=3).to_bytes()


def give_files(generation: Generation) -> None:
    """Give a queued generation real files, as a worker would."""
    image_name, maps_name, description_name = files.names(generation.identity)
    image, (npz, description) = png(), map_files(generation.prompt.text)
    for name, content in ((image_name, image), (maps_name, npz), (description_name, description)):
        files.write(name, content)
    generation.image, generation.image_sha256 = image_name, files.sha256(image)
    generation.maps, generation.maps_sha256 = maps_name, files.sha256(npz)
    generation.state, generation.done_at, generation.seconds = Generation.State.DONE, timezone.now(), 0.5
    generation.save()


@pytest.fixture
def finish() -> Callable[[Generation], None]:
    """``finish(generation)``: give a queued generation real files, as a worker would."""
    return give_files


def made_study(
    kind: str = "likert",
    items: int = 4,
    seats_per_item: int = 3,
    cap_share: float = 1.0,
    *,
    opened: bool = True,
    done: bool = True,
    slug: str = "study",
    **fields: object,
) -> Study:
    recipe = Recipe.objects.ensure(records.Recipe(model="test-model", steps=2, height=64, width=64))
    study = build_study(
        slug=slug,
        title="A study",
        kind=kind,
        stimuli=likert_stimuli(items) if kind == "likert" else presence_stimuli(items),
        recipe=recipe,
        seed=0,
        source=f"test captions of {slug}",
        seats_per_item=seats_per_item,
        cap_share=cap_share,
        **fields,
    )
    if done:
        for generation in Generation.objects.filter(items__study=study).select_related("prompt"):
            give_files(generation)
    if opened:
        assignment.open_study(study)
    study.refresh_from_db()
    return study


@pytest.fixture
def make_study(db) -> Callable[..., Study]:
    """``make_study(kind="likert", items=4, seats_per_item=3, cap_share=1.0, opened=True, done=True)``."""
    return made_study


def swapped(adjective: str) -> records.Prompt:
    """'a rusty shovel': its words."""
    words, start = [], 0
    for text, tag in zip(("a", adjective, "shovel"), ("DET", "ADJ", "NOUN"), strict=True):
        words.append(records.Word(text, start, start + len(text), tag, text, 2, "root" if tag == "NOUN" else "amod"))
        start += len(text) + 1
    return records.Prompt(f"a {adjective} shovel", tuple(words))


@pytest.fixture
def make_changes(db) -> Callable[..., Study]:
    """``make_changes(items=2)``: an open study of what changed, its images made."""

    def make(items: int = 2) -> Study:
        stimuli = [
            Stimulus(swapped("rusty"), 1, 1, "", swapped("wooden"), "rusty, wooden shovel", seed)
            for seed in range(items)
        ]
        recipe = Recipe.objects.ensure(records.Recipe(model="test-model", steps=2, height=64, width=64))
        study = build_study(
            slug="study",
            title="A study",
            kind="change",
            stimuli=stimuli,
            recipe=recipe,
            seed=0,
            source="test swap sets",
            cap_share=1.0,
        )
        for generation in Generation.objects.select_related("prompt"):
            give_files(generation)
        assignment.open_study(study)
        study.refresh_from_db()
        return study

    return make


@pytest.fixture
def ledger_left(transactional_db: None) -> Iterator[None]:
    """For tests that commit: empty at the end what only grows, which SQLite refuses unless its triggers are lifted."""
    yield
    if connection.vendor != "sqlite":
        return
    with transaction.atomic(), guards.lifted(), connection.cursor() as cursor:
        cursor.execute("PRAGMA defer_foreign_keys = ON")
        for table in ("errand", "entry", "batch", "payscheme"):
            cursor.execute(f"DELETE FROM payments_{table}")  # noqa: S608 - names from the line above
        cursor.execute("DELETE FROM studies_registration")
