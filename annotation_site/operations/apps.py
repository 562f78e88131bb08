import sys
from pathlib import PurePath

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import pre_save


class OperationsConfig(AppConfig):
    name = "annotation_site.operations"

    def ready(self) -> None:
        from auditlog.models import LogEntry

        from annotation_site import audit
        from annotation_site.operations import task_ids  # noqa: F401 - connects its signals

        if settings.SENTRY_DSN:
            from annotation_site.operations import sentry

            sentry.start(settings.SENTRY_DSN)
        pre_save.connect(audit.complete, sender=LogEntry)
        if PurePath(sys.argv[0]).name == "manage.py":
            audit.program.set(audit.command(sys.argv))
