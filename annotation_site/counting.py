"""Numbers of related rows beside each row of a query."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, IntegerField, QuerySet, Subquery
from django.db.models.functions import Coalesce


def number(rows: QuerySet[Any, Any], of: str = "pk") -> Coalesce:
    """How many ``of`` the rows have, to annotate with; ``rows`` name the outer row and hold the value to group by.

    A subquery each: two joined counts would multiply one by the other.
    """
    counted = rows.annotate(number=Count(of)).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
