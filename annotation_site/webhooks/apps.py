from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "annotation_site.webhooks"
