from django.urls import path

from annotation_site.stimuli import views

urlpatterns = [
    path("colours/<slug:name>.png", views.colours, {"kind": "png"}, name="colour-bar"),
    path("colours/<slug:name>.rgb", views.colours, {"kind": "rgb"}, name="colour-table"),
    path("<slug:name>/image.png", views.image, name="image"),
    path("<slug:name>/words/<int:start>-<int:end>/heat-map.png", views.heat_map, name="heat-map"),
]
