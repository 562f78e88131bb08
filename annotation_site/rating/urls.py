from django.urls import path

from annotation_site.rating import flow_views, lease_views, views

urlpatterns = [
    path("<slug:token>/", views.rate, name="rate"),
    path("<slug:token>/instructions/", flow_views.instructions, name="instructions"),
    path("<slug:token>/practice/", flow_views.practise, name="practice"),
    path("<slug:token>/care/", flow_views.care, name="care"),
    path("<slug:token>/break/", flow_views.pause, name="break"),
    path("<slug:token>/ahead/", views.ahead, name="ahead"),
    path("<slug:token>/last/", views.last, name="last"),
    path("<slug:token>/done/", views.done, name="done"),
    path("<slug:token>/heartbeat/", lease_views.heartbeat, name="heartbeat"),
    path("<slug:token>/release/", lease_views.release, name="release"),
]
