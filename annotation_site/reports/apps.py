from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "annotation_site.reports"
