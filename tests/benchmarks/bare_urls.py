from bare import bare
from django.urls import path

from annotation_site.urls import urlpatterns as site

urlpatterns = [path("bare/<str:token>/", bare, name="bare"), *site]
