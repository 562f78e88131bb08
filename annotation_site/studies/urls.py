from django.urls import path, register_converter
from django.urls.converters import StringConverter

from annotation_site.studies import views


class CodenameConverter(StringConverter):
    """A name that :func:`annotation_site.studies.codenames.codename` gives."""

    regex = "[0-9a-f]{16}"


register_converter(CodenameConverter, "codename")

urlpatterns = [
    path("<codename:name>.map", views.item_map, name="item-map"),
    path("<codename:name>.png", views.item_map_picture, name="item-map-picture"),
]
