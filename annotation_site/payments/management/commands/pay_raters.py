"""Tell outside payers what was approved and rejected, and forget ids, where no Celery worker does."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from annotation_site.payments import forgetting, queue
from annotation_site.payments.models import Errand
from annotation_site.rating.assignment import database_now


class Command(BaseCommand):
    help = (
        "Have outside payers (such as Prolific) pay what was approved, and tell them of rejections; then forget the "
        "ids of raters who are owed nothing in studies that closed a day ago or earlier. Celery beat does the same "
        "every five minutes and each hour. Nothing is approved here: that is done on a study's page of payments."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = queue.run(now=database_now())
        forgetting.sweep(database_now())
        left = Errand.objects.exclude(state__in=[Errand.State.DONE, Errand.State.TAKEN_BACK])
        self.stdout.write(f"{done} done.")
        for errand in left.select_related("entry__enrolment__rater"):
            self.stdout.write(f"{errand.entry.enrolment.rater.pseudonym}: {errand.state}. {errand.problem}".strip())
