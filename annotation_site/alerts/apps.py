from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "annotation_site.alerts"
