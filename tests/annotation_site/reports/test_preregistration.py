"""Preregistrations: one text for one study, hashed, kept for good, and handed out as it was hashed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation_site.reports.preregistration.canonical import canonical, sha256
from annotation_site.reports.preregistration.collecting import content
from annotation_site.reports.preregistration.registering import document_of, register
from annotation_site.studies.members import Member
from annotation_site.studies.models import Registration, Study

NOW = datetime(2026, 3, 2, 9, 0, 0, 250_000, tzinfo=UTC)
ADDRESS = "/research/studies/study/preregistration/"
words = st.text('aé\n"\\')
plain_json = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


def registered(study: Study, **statements: str) -> Registration:
    return register(study, statements, by="ada", now=NOW)[0]


def test_canonical_text_is_sorted_tight_and_without_floats():
    text = canonical({"b": 0.18, "a": [1.0, True, None, "é\n", 1e-7], "at": NOW, "c": {"z": 2, "y": -0.5}})
    assert text == (
        '{"a":[1,true,null,"é\\n","0.0000001"],"at":"2026-03-02T09:00:00.250000Z","b":"0.18","c":{"y":"-0.5","z":2}}'
    )
    # printf abc | sha256sum, as FIPS 180-2 has it.
    assert sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x"])
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises((TypeError, ValueError), match=r"give a finite one|write it as"):
        canonical({"here": value})


@settings(max_examples=50)
@given(st.dictionaries(words, plain_json, max_size=4))
def test_canonical_text_holds_everything_in_one_order(values):
    assert json.loads(canonical(values)) == values
    assert canonical(dict(reversed(values.items()))) == canonical(values)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_writes_the_same_text(seed):
    values = {name: {"x": 0.1, name: [name]} for name in "qwertyuiop"}
    program = (
        "import json, sys; from annotation_site.reports.preregistration.canonical import canonical; "
        "sys.stdout.write(canonical(json.load(sys.stdin)))"
    )
    there = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C"},
    )
    assert there.stdout == canonical(values)


@pytest.mark.django_db
def test_a_study_built_again_has_the_same_content(make_study):
    rules = [
        {"name": "slips", "all": [{"measure": "correlation", "below": 0.5}, {"measure": "quick_share", "above": 2.0}]}
    ]
    first = make_study(opened=False, exclusion_rules=rules, adaptive_stages=[3, 5])
    once = canonical(content(first))
    kept = first.pk
    first.delete()
    again = make_study(opened=False, exclusion_rules=rules, adaptive_stages=[3, 5])
    assert again.pk != kept
    assert canonical(content(Study.objects.get(pk=again.pk))) == once
    with translation.override("ko"):
        assert canonical(content(again)) == once
    # What a database may give back in another form is the same text on each: 0.5 as text, 2.0 as 2.
    assert canonical(content(again)["exclusions"]) == (
        '{"rules":[{"all":[{"below":"0.5","measure":"correlation"},{"above":2,"measure":"quick_share"}],"name":"slips"}]}'
    )


@pytest.mark.django_db
def test_a_registration_holds_the_study_and_is_numbered(make_study, fill):
    study = make_study(items=4)
    one, new = register(study, {"hypotheses": "Nouns score higher.\r\n"}, by="ada", now=NOW)
    assert (new, one.number, one.judgements) == (True, 1, 0)
    assert one.sha256 == hashlib.sha256(one.document.encode()).hexdigest()
    document = document_of(one)
    assert document["statements"]["hypotheses"] == "Nouns score higher."
    assert document["registration"]["before_data"] is True
    assert document["registration"]["registered_at"] == "2026-03-02T09:00:00.250000Z"
    found = document["content"]
    kept = found["assignment"] | found["analysis"]
    assert [kept[name] for name in ("seats_per_item", "cap_share", "cap", "adaptive_stages")] == [3, 1, 12, []]
    assert [kept[name] for name in ("seed", "resamples", "confidence")] == [0, 2000, "0.95"]
    sample = found["sample"]
    assert (sample["items"], sample["judgements"], sample["most_judgements"], sample["arms"]) == (4, 12, 12, {})
    assert sample["groups"] == dict.fromkeys(("NOUN", "VERB", "ADJ", "DET"), 1)
    first, item = study.items.select_related("generation__recipe", "word").first(), found["items"][0]
    assert [each["position"] for each in found["items"]] == [0, 1, 2, 3]
    assert (item["seed"], item["recipe"]) == (first.generation.seed, first.generation.recipe.digest)
    assert (item["word"], item["word_index"], item["tag"]) == (first.word.text, first.word.index, first.word.tag)
    assert item["image_sha256"] == first.generation.image_sha256
    assert set(found["wording"]["question"]) == {"en", "ko"}
    # Nobody's codes are in it.
    assert study.completion_code not in one.document


# What belongs to the running of a study, to its raters alone, or to its researchers' names.
NOT_REGISTERED = {
    "id", "state", "created_at", "opened_at", "closed_at", "generation_priority", "generation_paused",
    "completion_code", "screen_out_code", "organisation", "contact", "ethics_contact",
}  # fmt: skip


@pytest.mark.django_db
def test_no_field_of_a_study_is_forgotten(make_study):
    """A new field is registered, or named above with its reason."""
    found = content(make_study(opened=False, done=False))
    plain = {name for section in found.values() if isinstance(section, dict) for name in section}
    elsewhere = {
        "consent_version": "consent",
        "texts": "wording",
        "sampling": "sampling",
        "exclusion_rules": "exclusions",
    }
    fields = {field.name for field in Study._meta.concrete_fields}
    assert fields - plain - set(elsewhere) == NOT_REGISTERED
    assert set(elsewhere.values()) <= set(found)


@pytest.mark.django_db
def test_what_is_registered_is_not_registered_twice_and_the_first_before_data_counts(make_study, fill):
    study = make_study(items=4)
    one = registered(study)
    assert register(study, {}, by="bob", now=NOW) == (one, False)
    two = registered(study, other="A pilot came before.")
    fill(study, {"NOUN": [(4, 5, 5)]})
    three = registered(study, other="Now with data.")
    assert [two.number, three.number, three.judgements] == [2, 3, 3]
    assert document_of(three)["registration"]["said"] == (
        "Registered AFTER data existed: 3 answers of people were stored already."
    )
    assert Registration.objects.standing(study) == one


@pytest.mark.django_db
def test_made_after_data_the_first_of_all_counts_and_programs_answers_are_no_data(make_study, fill):
    study = make_study(items=4)
    fill(study, {"NOUN": [(4, 5, 5)]}, simulated=True)
    early = registered(study)
    assert document_of(early)["registration"]["judgements_of_programs"] == 3
    assert early.judgements == 0
    late = make_study(items=4, slug="late")
    fill(late, {"NOUN": [(4, 5, 5)]})
    first = registered(late)
    registered(late, other="more")
    assert Registration.objects.standing(late) == first


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["UPDATE {} SET registered_by = 'eve'", "DELETE FROM {}"])
def test_the_database_changes_and_deletes_no_registration(make_study, statement):
    made = registered(make_study(items=1, opened=False, done=False))
    refused = pytest.raises(DatabaseError, match="stays as it was made")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(Registration._meta.db_table))
    assert list(Registration.objects.values_list("registered_by")) == [(made.registered_by,)]


@pytest.mark.django_db
def test_both_triggers_are_there():
    """A later migration that rebuilds the table on SQLite drops them; then this fails."""
    sql = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'studies_registration'"
    if connection.vendor == "postgresql":
        sql = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = 'studies_registration'::regclass"
    with connection.cursor() as cursor:
        cursor.execute(sql)
        assert cursor.fetchone() == (2,)


@pytest.mark.django_db
def test_the_command_registers_and_its_folder_verifies(make_study, tmp_path, capsys):
    study = make_study(items=2, opened=False, done=False)
    (tmp_path / "why.txt").write_text("Two items,\nfor a test.", encoding="utf-8")
    out = tmp_path / "bundle"
    call_command("preregister", "study", hypotheses="# Stars > fish", sample=f"@{tmp_path / 'why.txt'}", out=out)
    made = Registration.objects.get(study=study)
    said = capsys.readouterr().out
    assert made.sha256 in said
    assert "Registered before anybody had answered." in said
    checked = subprocess.run(["sha256sum", "--check", "CHECKSUMS"], cwd=out, capture_output=True, text=True, check=True)
    assert checked.stdout.count(": OK") == 2
    printed = subprocess.run(
        ["sha256sum", "study-preregistration-1.json"], cwd=out, capture_output=True, text=True, check=True
    )
    assert printed.stdout.split()[0] == made.sha256
    words = (out / "study-preregistration-1.md").read_text(encoding="utf-8")
    assert "> # Stars > fish" in words
    assert "> Two items,\n> for a test." in words
    assert "2 items, 6 answers that count are wanted." in words
    with pytest.raises(CommandError, match="cannot be read as UTF-8"):
        call_command("preregister", "study", other="@/nowhere/at/all")
    with pytest.raises(CommandError, match="not empty"):
        call_command("preregister", "study", out=out)


@pytest.fixture
def people(make_study) -> dict[str, User]:
    study = make_study(items=2, opened=False, done=False)
    cast = {role: User.objects.create_user(role) for role in Member.Role.values}
    for role, user in cast.items():
        Member.objects.create(study=study, user=user, role=role)
    return {**cast, "stranger": User.objects.create_user("stranger")}


@pytest.mark.django_db
def test_a_researcher_registers_in_the_browser_and_takes_it_away(client, people):
    client.force_login(people["researcher"])
    assert "Nothing is registered yet." in client.get(ADDRESS).content.decode()
    told = {"hypotheses": "<script>alert(1)</script>", "other": "a | b"}
    shown = client.post(ADDRESS, told, follow=True)
    assert shown.redirect_chain == [(f"{ADDRESS}1/", 302)]
    made = Registration.objects.get()
    assert made.registered_by == "researcher"
    text = shown.content.decode()
    assert f"{made.sha256}  study-preregistration-1.json" in text
    assert "<script>alert" not in text
    taken = client.get(f"{ADDRESS}1.json")
    assert hashlib.sha256(taken.content).hexdigest() == made.sha256
    archive = client.get(f"{ADDRESS}1.zip").content
    assert archive == client.get(f"{ADDRESS}1.zip").content
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert files.read("study-preregistration-1.json") == taken.content
        sums = dict(reversed(line.split("  ")) for line in files.read("CHECKSUMS").decode().splitlines())
        assert {name: hashlib.sha256(files.read(name)).hexdigest() for name in sums} == sums
    # Sent twice it is one registration.
    assert "Nothing has changed since version 1" in client.post(ADDRESS, told, follow=True).content.decode()
    assert Registration.objects.count() == 1
    # The next one begins with what was stated.
    assert "a | b</textarea>" in client.get(ADDRESS).content.decode()
    refused = client.post(ADDRESS, {"other": "x" * 20_001})
    assert refused.status_code == 422
    assert Registration.objects.count() == 1


@pytest.mark.django_db
def test_viewers_read_and_strangers_learn_nothing(client, people):
    registered(Study.objects.get())
    addresses = [ADDRESS, f"{ADDRESS}1/", f"{ADDRESS}1.json", f"{ADDRESS}1.zip"]
    client.force_login(people["viewer"])
    assert {client.get(address).status_code for address in addresses} == {200}
    assert "Register for good" not in client.get(ADDRESS).content.decode()
    assert client.post(ADDRESS, {"other": "mine"}).status_code == 404
    assert {client.get(f"{ADDRESS}2{end}").status_code for end in ("/", ".json", ".zip")} == {404}
    client.force_login(people["stranger"])
    assert {client.get(address).status_code for address in addresses} == {404}
    assert client.post(ADDRESS, {}).status_code == 404
    assert Registration.objects.count() == 1
