from django.urls import path

from annotation_site.operations import own_data_views, tour_views, views

urlpatterns = [
    path("rate/<slug:token>/data/", own_data_views.own_data, name="own-data"),
    path("rate/<slug:token>/data/file/", own_data_views.own_data_file, name="own-data-file"),
    path("rate/<slug:token>/data/erase/", own_data_views.erase, name="erase-own-data"),
    path("privacy/erased/", own_data_views.erased, name="erased"),
    path("tour/", tour_views.move, name="tour"),
    path("tour/sign-in/", tour_views.sign_in, name="tour-sign-in"),
    path("livez", views.livez, name="livez"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.numbers, name="metrics"),
]
