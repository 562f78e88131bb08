from django.apps import AppConfig


class RatingConfig(AppConfig):
    name = "annotation_site.rating"
