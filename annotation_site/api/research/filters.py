"""What lists can be narrowed by."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters.rest_framework import (
    BooleanFilter,
    CharFilter,
    ChoiceFilter,
    FilterSet,
    IsoDateTimeFilter,
    NumberFilter,
)

from annotation_site.rating.models import Judgement
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import Item, Study


class StudyFilter(FilterSet):
    kind = ChoiceFilter(choices=Study.Kind.choices)
    state = ChoiceFilter(choices=Study.State.choices)


class ItemFilter(FilterSet):
    purpose = ChoiceFilter(choices=[("rated", "rated"), *Item.Purpose.choices[1:]], method="of_purpose")
    tag = CharFilter(field_name="word__tag", help_text="Universal POS tag of the word.")
    condition = CharFilter()
    arm = CharFilter()
    withdrawn = BooleanFilter(field_name="withdrawn_at", lookup_expr="isnull", exclude=True)

    def of_purpose(self, rows: QuerySet[Item], name: str, value: str) -> QuerySet[Item]:
        return rows.filter(purpose="" if value == "rated" else value)


class GenerationFilter(FilterSet):
    state = ChoiceFilter(choices=Generation.State.choices)


class EnrolmentFilter(FilterSet):
    simulated = BooleanFilter(field_name="rater__simulated")
    excluded = BooleanFilter(field_name="excluded_at", lookup_expr="isnull", exclude=True)
    completed = BooleanFilter(field_name="completed_at", lookup_expr="isnull", exclude=True)
    source = CharFilter()


class JudgementFilter(FilterSet):
    item = NumberFilter(field_name="seat__item__position", min_value=0, max_value=2**31 - 1, help_text="Its position.")
    rater = CharFilter(field_name="enrolment__rater__pseudonym", help_text="The rater's pseudonym.")
    simulated = BooleanFilter(field_name="enrolment__rater__simulated")
    counted = BooleanFilter(
        method="that_count", help_text="true: what a report counts of people; false: all that it leaves out."
    )
    answered_after = IsoDateTimeFilter(field_name="answered_at", lookup_expr="gte")
    answered_before = IsoDateTimeFilter(field_name="answered_at", lookup_expr="lt")

    def that_count(self, rows: QuerySet[Judgement], name: str, value: bool) -> QuerySet[Judgement]:
        counted = Judgement.objects.counted().of_people()
        return rows.filter(pk__in=counted.values("pk")) if value else rows.exclude(pk__in=counted.values("pk"))
