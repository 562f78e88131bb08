from django.apps import AppConfig


class ResearchConfig(AppConfig):
    name = "annotation_site.research"
