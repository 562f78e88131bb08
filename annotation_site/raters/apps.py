from django.apps import AppConfig


class RatersConfig(AppConfig):
    name = "annotation_site.raters"

    def ready(self) -> None:
        from annotation_site.raters import identities  # noqa: F401
