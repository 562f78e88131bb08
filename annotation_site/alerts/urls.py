from django.urls import path

from annotation_site.alerts import views

urlpatterns = [path("mute/<str:token>/", views.mute, name="alert-mute")]
