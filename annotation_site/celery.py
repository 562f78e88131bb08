"""The Celery application of the workers: ``celery -A annotation_site worker --pool=solo``."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotation_site.settings")

app = Celery("attest")
app.config_from_object("django.conf:settings", namespace="CELERY")
APPS = ("worker", "payments", "recruitment", "webhooks", "alerts")
app.autodiscover_tasks([f"annotation_site.{name}" for name in APPS])
app.autodiscover_tasks(["annotation_site.operations"], related_name="celery_signals")
