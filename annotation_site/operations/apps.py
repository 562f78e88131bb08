from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "annotation_site.operations"
