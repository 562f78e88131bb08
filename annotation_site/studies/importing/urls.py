from django.urls import path

from annotation_site.studies.importing import views

urlpatterns = [path("", views.import_study, name="import-study")]
