from django.urls import path

from annotation_site.raters import views

urlpatterns = [
    path("", views.home, name="home"),
    path("studies/<slug:slug>/", views.join, name="join"),
]
