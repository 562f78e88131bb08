from django.apps import AppConfig


class AnalysesConfig(AppConfig):
    name = "annotation_site.analyses"
