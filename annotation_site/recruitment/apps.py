from django.apps import AppConfig


class RecruitmentConfig(AppConfig):
    name = "annotation_site.recruitment"

    def ready(self) -> None:
        from annotation_site.payments.payers import register as register_payer
        from annotation_site.raters import sources
        from annotation_site.raters.models import Source
        from annotation_site.recruitment.arrivals import FromProlific
        from annotation_site.recruitment.payer import ProlificPayer

        sources.register(FromProlific())
        register_payer(Source.Kind.PROLIFIC, ProlificPayer())
