from django.urls import path

from annotation_site.analyses import result_views, views

urlpatterns = [
    path("generations/", views.index, name="generations"),
    path("generations/compare/", views.compare, name="compare"),
    path("generations/<slug:identity>/", views.generation, name="generation"),
    path("generations/<slug:identity>/same-prompt/", views.same_prompt, name="same-prompt"),
    path("analyses/<slug:slug>/", result_views.index, name="analyses"),
    path("analyses/<slug:slug>/<slug:kind>/", result_views.analysis, name="analysis"),
    path("analyses/<slug:slug>/<slug:kind>/files/<str:name>", result_views.file, name="analysis-file"),
]
