from django.urls import path, register_converter
from django.urls.converters import StringConverter

from annotation_site.webhooks import views


class Action(StringConverter):
    regex = "pause|resume|delete"


register_converter(Action, "webhook_action")

urlpatterns = [
    path("", views.index, name="webhooks"),
    path("<uuid:uid>/", views.webhook, name="webhook"),
    path("<uuid:uid>/secret/", views.secret, name="webhook-secret"),
    path("<uuid:uid>/<webhook_action:action>/", views.act, name="webhook-act"),
    path("<uuid:uid>/deliveries/<uuid:delivery>/again/", views.redeliver, name="webhook-redeliver"),
]
