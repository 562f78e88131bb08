from django.urls import path

from annotation_site.raters import source_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("privacy/", views.privacy, name="privacy"),
    path("studies/<slug:slug>/", views.join, name="join"),
    path("studies/<slug:slug>/from/<slug:name>/", source_views.arrive, name="arrive"),
    path("i/<slug:token>/", source_views.invited, name="invited"),
]
