from django.urls import path

from annotation_site.stimuli import views

urlpatterns = [
    path("<slug:identity>/image.png", views.image, name="image"),
    path("<slug:identity>/words/<int:start>-<int:end>/heat-map.png", views.heat_map, name="heat-map"),
]
