"""Rows looked up by a statement that is written once are those that the ORM finds."""

from __future__ import annotations

import pytest
from django.forms.models import model_to_dict

from annotation_site.lookups import Lookup
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.rating.models import Seat

pytestmark = pytest.mark.django_db


def test_a_row_comes_with_its_related_rows_and_decoded_fields(make_study, django_assert_num_queries):
    study = make_study(items=2)
    study.texts = {"en": {"question": "How well?"}}
    study.save()
    rows = [Enrolment.objects.create(study=study, rater=Rater.objects.create()) for _ in range(2)]
    lookup = Lookup(lambda: Enrolment.objects.select_related("study"), by="token")
    for row in rows:
        with django_assert_num_queries(1):
            found = lookup.get(row.token)
            assert found.study.texts == {"en": {"question": "How well?"}}
        expected = Enrolment.objects.select_related("study").get(pk=row.pk)
        assert model_to_dict(found) == model_to_dict(expected)
        assert model_to_dict(found.study) == model_to_dict(expected.study)
        assert not found._state.adding
        found.locale = "ko"
        found.save()
        assert lookup.get(row.token).locale == "ko"


def test_a_related_row_that_is_not_there_is_none(make_study, django_assert_num_queries):
    make_study(items=1)
    expected = Seat.objects.select_related("item__word").get(round=0)
    lookup = Lookup(lambda: Seat.objects.select_related("item__word", "item__second_word", "enrolment"), by="pk")
    with django_assert_num_queries(1):
        found = lookup.get(expected.pk)
        assert (found.item.word.text, found.item.second_word, found.enrolment) == (
            expected.item.word.text,
            None,
            None,
        )


def test_a_value_without_a_row():
    lookup = Lookup(lambda: Seat.objects.all(), by="pk")
    assert lookup.first(0) is None
    with pytest.raises(Seat.DoesNotExist, match="No Seat has pk 0"):
        lookup.get(0)


def test_one_value_alone_is_left_open():
    with pytest.raises(ValueError, match="Exactly one value"):
        Lookup(lambda: Seat.objects.filter(round=1), by="pk").first(0)
