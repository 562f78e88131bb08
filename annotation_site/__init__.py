"""The site. Importing it makes the Celery application the one that tasks belong to, in every process."""

from annotation_site.celery import app as celery_app

__all__ = ["celery_app"]
