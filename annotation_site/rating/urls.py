from django.urls import path

from annotation_site.rating import views

urlpatterns = [
    path("<str:token>/", views.rate, name="rate"),
    path("<str:token>/last/", views.last, name="last"),
    path("<str:token>/done/", views.done, name="done"),
]
