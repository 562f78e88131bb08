"""What keeps a study from opening, and what raters would miss: each problem once, with its remedy."""

from __future__ import annotations

import pytest

from annotation_site.rating import assignment
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Item, KnownAnswer, Study

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(make_study):
    """A draft of ten items whose cap of 5 judgements is within reach and below all items: nothing is wrong with it."""
    return make_study(items=10, seats_per_item=1, cap_share=0.5, opened=False)


def texts(study: Study) -> list[str]:
    study.refresh_from_db()
    return [problem.text for problem in assignment.problems(study)]


def test_nothing_is_wrong_with_a_whole_study(draft):
    assert assignment.problems(draft) == []


def known(study: Study, purpose: str, *, position: int = 100) -> Item:
    first = study.items.first()
    item = Item.objects.create(
        study=study, generation=first.generation, word=first.word, purpose=purpose, position=position
    )
    KnownAnswer.objects.create(item=item, lowest=4, highest=5)
    return item


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"practice_pass_mark": 60}, "a pass mark and nothing to practise on"),
        ({"check_every": 5}, "one check in 5 and has none"),
        ({"consent_version": "mine"}, "version mine, which has no text"),
    ],
)
def test_what_blocks_is_named_with_its_remedy_and_the_study_stays_a_draft(draft, fields, said):
    Study.objects.filter(pk=draft.pk).update(**fields)
    draft.refresh_from_db()
    [problem] = assignment.problems(draft)
    assert problem.blocks
    assert said in problem.text
    assert problem.remedy
    with pytest.raises(assignment.StudyNotReady, match=said):
        assignment.open_study(draft)
    draft.refresh_from_db()
    assert (draft.state, draft.seats.count(), draft.cap) == ("draft", 0, None)


def test_without_items_nothing_else_is_said(draft):
    Item.objects.all().delete()
    [problem] = assignment.problems(draft)
    assert (problem.blocks, "has no items" in problem.text, "sample_pairs" in problem.remedy) == (True, True, True)


def test_practice_whose_pictures_are_not_made_cannot_be_practised(draft):
    Study.objects.filter(pk=draft.pk).update(practice_pass_mark=60)
    item = known(draft, Item.Purpose.PRACTICE)
    assert texts(draft) == []
    other = Generation.objects.exclude(pk=item.generation_id).first()
    Item.objects.filter(pk=item.pk).update(generation=other)
    Generation.objects.filter(pk=other.pk).update(state="queued")
    assert any("pictures for the practice" in text for text in texts(draft))
    assert assignment.problems(draft)[0].blocks


def test_images_that_failed_or_wait_are_counted_and_do_not_block(draft):
    made = list(Generation.objects.order_by("id"))
    Generation.objects.filter(pk__in=[row.pk for row in made[:3]]).update(state="queued")
    Generation.objects.filter(pk=made[3].pk).update(state="failed", error="out of memory")
    said = texts(draft)
    assert said[0].startswith("The picture of 1 item failed")
    assert said[1].startswith("The pictures of 3 items are not made yet")
    assert not any(problem.blocks for problem in assignment.problems(draft))
    assert assignment.open_study(draft) == 10


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.05, "0.05 of 10 places is less than one judgement"),  # 0.5 of a judgement
        (0.1, None),  # exactly one
        (0.99, None),  # 9 of 10
        (1.0, "The cap of 10 judgements is out of reach"),
    ],
)
def test_a_cap_that_cannot_hold_is_named(draft, share, said):
    Study.objects.filter(pk=draft.pk).update(cap_share=share)
    found = texts(draft)
    assert found == [] if said is None else said in found[0]


def test_the_checks_cost_as_much_for_many_items_as_for_few(make_study, django_assert_num_queries):
    few = make_study(items=2, opened=False, slug="few")
    many = make_study(items=40, opened=False, slug="many")
    for study in (few, many):
        with django_assert_num_queries(2):
            assignment.problems(study)
