from django.urls import path

from annotation_site.analyses import views

urlpatterns = [
    path("generations/", views.index, name="generations"),
    path("generations/compare/", views.compare, name="compare"),
    path("generations/<slug:identity>/", views.generation, name="generation"),
]
