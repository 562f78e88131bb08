from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "annotation_site.payments"
