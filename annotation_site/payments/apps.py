from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "annotation_site.payments"

    def ready(self) -> None:
        from annotation_site.payments.forgetting import is_settled
        from annotation_site.raters import identities

        identities.unwanted_where(is_settled)
