from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "annotation_site.api"
