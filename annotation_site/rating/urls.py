from django.urls import path

from annotation_site.rating import views

urlpatterns = [
    path("<slug:token>/", views.rate, name="rate"),
    path("<slug:token>/last/", views.last, name="last"),
    path("<slug:token>/done/", views.done, name="done"),
]
