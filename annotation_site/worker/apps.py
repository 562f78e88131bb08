from django.apps import AppConfig


class WorkerConfig(AppConfig):
    name = "annotation_site.worker"
