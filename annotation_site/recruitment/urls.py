from django.urls import path

from annotation_site.recruitment import hook_views, prolific_views, views

urlpatterns = [
    path("reports/<slug:slug>/recruitment/", views.overview, name="recruitment"),
    path("reports/<slug:slug>/recruitment/<slug:name>/", views.source, name="recruitment-source"),
    path("reports/<slug:slug>/recruitment/<slug:name>/invitations/", views.invitations, name="recruitment-invitations"),
    path("reports/<slug:slug>/recruitment/<slug:name>/prolific/", prolific_views.study, name="recruitment-prolific"),
    path("hooks/prolific/", hook_views.prolific, name="prolific-hook"),
]
