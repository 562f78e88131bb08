"""Studies of what changed between two images: from the swap sets to the export."""

from __future__ import annotations

import io
import json
import random
import uuid
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation_site.rating import assignment
from annotation_site.rating.assignment import Answer, AnswerRefused
from annotation_site.rating.models import Judgement, Seat
from annotation_site.rating.simulation import simulate
from annotation_site.reports.exports.reading import load_export
from annotation_site.reports.formats import as_csv, as_json
from annotation_site.reports.latex import as_latex
from annotation_site.reports.loading import load
from annotation_site.reports.report import build_report, report_of
from annotation_site.reports.report_tables import tables
from annotation_site.stimuli.addresses import image_url
from annotation_site.stimuli.models import Generation
from annotation_site.studies.gold import add_known_item
from annotation_site.studies.models import Item, Study
from annotation_site.worker.generation import wanted_by

pytestmark = pytest.mark.django_db
SETS = "a {rusty, metallic, wooden} shovel in a clean shed\na {blue, red} car\n"


@pytest.fixture
def draft(tmp_path: Path) -> Study:
    """Three pairs: two of the shovel's set, one of the car's."""
    (tmp_path / "sets.txt").write_text(SETS)
    call_command("change_study", sets=tmp_path / "sets.txt", study="changed", cap_share=1.0, stdout=io.StringIO())
    Study.objects.update(instructions_shown=False)
    return Study.objects.get()


@pytest.fixture
def opened(draft, finish) -> Study:
    for generation in wanted_by(draft):
        finish(generation)
    assignment.open_study(draft)
    draft.refresh_from_db()
    return draft


def answer_all(study: Study, enrol, changes: dict[str, str]) -> None:
    """One rater's answers by the second adjective; "" is the opt-out."""
    enrolment = enrol(study)
    while (seat := assignment.claim_next(enrolment, rng=random.Random(0))) is not None:
        change, now = changes[seat.item.second_word.text], timezone.now()
        given = Answer(change=change) if change else Answer(opt_out="image_too_poor")
        assignment.record(seat=seat, enrolment=enrolment, answer=given, key=uuid.uuid4(), shown_at=now)


def test_each_adjective_is_compared_with_the_sets_first_from_one_seed(draft):
    items = draft.items.select_related("generation", "second_generation", "word", "second_word")
    found = sorted((item.swap_set, item.word.text, item.second_word.text) for item in items)
    shovel = "rusty, metallic, wooden shovel"
    assert found == [
        ("blue, red car", "blue", "red"),
        (shovel, "rusty", "metallic"),
        (shovel, "rusty", "wooden"),
    ]
    assert all(item.generation.seed == item.second_generation.seed for item in items)
    # The shovel's first image serves both of its pairs.
    assert wanted_by(draft).count() == 5
    assert len({generation.seed for generation in wanted_by(draft)}) == 2


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("", "is empty"), ("a shovel\n", "no swap set"), ("a {a, b} c\na {a, b} c\n", "twice"), ("a {x y, b} c", "word")],
)
def test_a_file_of_no_swap_sets_is_refused_and_leaves_nothing(tmp_path, text, complaint):
    (tmp_path / "sets.txt").write_text(text)
    with pytest.raises(CommandError, match=complaint):
        call_command("change_study", sets=tmp_path / "sets.txt", study="changed")
    assert not Study.objects.exists()
    assert not Generation.objects.exists()


def test_a_seat_is_free_once_both_of_its_images_are_made(draft, finish):
    item = draft.items.get(second_word__text="red")
    finish(item.generation)
    assignment.open_study(draft)
    assert set(Seat.objects.values_list("state", flat=True)) == {"pending"}
    first = draft.items.filter(word__text="rusty").first().generation
    with transaction.atomic():
        finish(first)
        assert assignment.release_pending([first]) == 0
        finish(item.second_generation)
        assert assignment.release_pending([item.second_generation]) == 3
    assert set(Seat.objects.filter(state="free").values_list("item", flat=True)) == {item.pk}


def test_the_page_shows_both_images_with_the_swapped_word_marked_and_nothing_chosen(opened, enrol, visit):
    enrolment = enrol(opened)
    page = visit(enrolment)
    item = Seat.objects.get(state="leased").item
    for generation, word in ((item.generation, item.word), (item.second_generation, item.second_word)):
        assert image_url(generation, None) in page.text
        assert f'<strong class="target">{word.text}</strong>' in page.text
    assert "What changed between the two pictures?" in page.text
    assert " checked" not in page.text.split("<form")[1].split("</form>")[0]
    assert page.answer().status_code == 422
    assert page.answer("5").status_code == 422
    assert page.answer("both").status_code == 302
    stored = Judgement.objects.get()
    assert (stored.change, stored.rating, stored.opt_out, stored.first_present) == ("both", None, "", None)
    assert "You answered: <b>Both</b>" in visit(enrolment, "last/").text


def test_raters_of_one_item_see_both_orders(opened, enrol, visit):
    Seat.objects.exclude(item__second_word__text="red").delete()
    pages = [visit(enrol(opened)).text for _ in range(2)]
    first = [text.split('<strong class="target">')[1].split("<")[0] for text in pages]
    assert sorted(first) == ["blue", "red"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(rating=3),
        Answer(change="all"),
        Answer(change="both", opt_out="image_too_poor"),
        Answer(change="both", rating=3),
        Answer(first_present=True, second_present=True),
        Answer(opt_out="word_too_abstract"),
    ],
)
def test_another_answer_is_refused(answer):
    with pytest.raises(AnswerRefused):
        answer.check("change")


@pytest.mark.parametrize("answer", [Answer(change="object"), Answer(opt_out="image_too_poor")])
def test_one_of_the_four_or_the_opt_out_is_an_answer(answer):
    answer.check("change")


@pytest.mark.parametrize("kind", ["likert", "presence"])
def test_a_change_answers_no_other_kind(kind):
    with pytest.raises(AnswerRefused):
        Answer(change="object").check(kind)


@pytest.mark.parametrize("fields", [{"rating": 3}, {"opt_out": "image_too_poor"}, {"change": "all"}, {"change": ""}])
def test_the_database_holds_one_answer_a_judgement(opened, enrol, visit, fields):
    visit(enrol(opened)).answer("both")
    with pytest.raises(IntegrityError), transaction.atomic():
        Judgement.objects.update(**fields)


@pytest.mark.parametrize("fields", [{"swap_set": ""}, {"second_word": None}, {"second_generation": None}])
def test_the_database_holds_two_images_to_their_words_and_set(draft, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        Item.objects.update(**fields)


def test_this_kind_has_neither_checks_nor_practice(draft):
    draft.check_every = 10
    with pytest.raises(ValidationError, match="this kind has no checks"):
        draft.full_clean()
    item = draft.items.first()
    with pytest.raises(ValidationError, match="neither practice nor checks"):
        add_known_item(draft, item.generation, item.word, purpose="practice", known={"lowest": 1, "highest": 2})


@pytest.fixture
def answered(opened, enrol) -> Study:
    answer_all(opened, enrol, {"metallic": "background", "wooden": "object", "red": "nothing"})
    answer_all(opened, enrol, {"metallic": "both", "wooden": "object", "red": "nothing"})
    answer_all(opened, enrol, {"metallic": "object", "wooden": "both", "red": ""})
    return opened


def test_the_report_counts_by_swap_set(answered):
    car, shovel = build_report(answered).people.rows
    assert (car.swap_set, car.pairs, car.judgements, car.answers, car.too_poor) == (
        "blue, red car",
        1,
        3,
        (0, 0, 0, 2),
        1,
    )
    assert (car.scored, car.changed_pairs, car.background_changed.value) == (1, 0, 0.0)
    # metallic: background, both, object -> changed; wooden: object twice, both -> not changed.
    assert (shovel.pairs, shovel.answers, shovel.scored, shovel.changed_pairs) == (2, (3, 1, 2, 0), 2, 1)
    # Wilson's interval of 1 of 2 at 95%: (0.5 +- 1.96 sqrt(0.25/2 + 3.8415/16)) / (1 + 3.8415/2) moved to the middle.
    assert (shovel.background_changed.low, shovel.background_changed.high) == pytest.approx(
        (0.094531, 0.905469), abs=1e-6
    )
    assert (shovel.object.value, shovel.background.value, shovel.both.value) == (0.5, 0.166667, 0.333333)
    # Nominal alpha by hand: 6 values, n = (3, 1, 2, 0); observed disagreement: metallic 6 of 6 ordered pairs differ,
    # wooden 4 of 6, each over 2: (6 + 4) / 2 / 6 = 5/6; expected: 1 - (3*2 + 1*0 + 2*1) / (6*5) = 22/30.
    assert shovel.alpha.value == pytest.approx(1 - (5 / 6) / (22 / 30), abs=1e-6)


def test_every_form_of_the_report_has_the_rows(answered, admin_client):
    report = build_report(answered)
    rows = json.loads(as_json(report))["people"]["rows"]
    assert rows[1]["answers"] == {
        "object_answers": 3,
        "background_answers": 1,
        "both_answers": 2,
        "nothing_answers": 0,
    }
    assert "rusty, metallic, wooden shovel" in as_csv(report)
    assert {table.name for table in tables(report)} >= {"rows", "changes", "raters"}
    assert all(r"\toprule" in as_latex(report, table) for table in tables(report))
    said = {
        "": "Background changed",
        "?sort=-swap_set": "Background changed",
        "live/": "rusty, metallic, wooden shovel",
        "tags/blue, red car/": "a red car",
        "items/0/": "in a clean shed",
        "rows.csv": "background_changed_low",
        "tables/changes.tex": "toprule",
        "report.html": "background changed",
        "figure.svg": "background changed",
    }
    pages = {path: admin_client.get(f"/reports/changed/{path}") for path in said}
    assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(said, 200)
    found = {path: page.content.decode().lower() for path, page in pages.items()}
    assert [path for path, text in said.items() if text.lower() not in found[path]] == []
    assert "/tags/rusty" in found[""]


def test_an_export_gives_the_same_report(answered, tmp_path):
    call_command("export_study", "changed", out=tmp_path / "export", stdout=io.StringIO())
    read = load_export(tmp_path / "export")
    assert as_json(report_of(read)) == as_json(report_of(load(answered)))
    header, *lines = (tmp_path / "export" / "items.csv").read_text().splitlines()
    assert "second_image_file" in header.split(",")
    assert len(lines) == 3
    assert len(list((tmp_path / "export" / "images").rglob("*.png"))) == 5


def test_simulated_raters_answer_it(opened):
    assert simulate(opened, raters=2, seed=1) == 6
    assert all(judgement.change for judgement in Judgement.objects.all())
