"""The site with all its modules and templates loaded, so that a server process forked from it answers at once."""

from django.template.loader import get_template
from django.urls import get_resolver

from annotation_site.wsgi import application

__all__ = ["application"]
assert get_resolver().url_patterns
get_template("rating/likert.html")
