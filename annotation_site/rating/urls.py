from django.urls import path

from annotation_site.rating import lease_views, views

urlpatterns = [
    path("<slug:token>/", views.rate, name="rate"),
    path("<slug:token>/last/", views.last, name="last"),
    path("<slug:token>/done/", views.done, name="done"),
    path("<slug:token>/heartbeat/", lease_views.heartbeat, name="heartbeat"),
    path("<slug:token>/release/", lease_views.release, name="release"),
]
