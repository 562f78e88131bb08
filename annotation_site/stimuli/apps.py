from django.apps import AppConfig


class StimuliConfig(AppConfig):
    name = "annotation_site.stimuli"
