"""The Celery application of the workers: ``celery -A annotation_site worker --pool=solo``."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "annotation_site.settings")

app = Celery("attest")
app.config_from_object("django.conf:settings", namespace="CELERY")
<<<<<<< HEAD
app.autodiscover_tasks(["annotation_site.worker", "annotation_site.recruitment"])
=======
app.autodiscover_tasks(["annotation_site.worker", "annotation_site.webhooks"])
>>>>>>> a1b56d3 (Tell programs what happens in studies: signed webhooks, sent again until they are taken)
app.autodiscover_tasks(["annotation_site.operations"], related_name="celery_signals")
