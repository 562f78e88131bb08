from django.urls import path, register_converter
from django.urls.converters import StringConverter

from annotation_site.rating.moves import MOVES
from annotation_site.research import (
    about_views,
    alert_views,
    bulk_views,
    member_views,
    preregistration_views,
    views,
    wizard_views,
)


class Move(StringConverter):
    regex = "|".join(MOVES)


class Things(StringConverter):
    regex = "raters|items"


class Bundle(StringConverter):
    regex = "json|zip"


register_converter(Move, "study_move")
register_converter(Things, "study_things")
register_converter(Bundle, "bundle_format")

urlpatterns = [
    path("", views.home, name="research-home"),
    path("new/", wizard_views.new, name="research-new"),
    path("orders/<int:pk>/", wizard_views.order, name="research-order"),
    path("orders/<int:pk>/review/", wizard_views.review, name="research-review"),
    path("orders/<int:pk>/discard/", wizard_views.discard, name="research-discard"),
    path("orders/<int:pk>/<slug:name>/", wizard_views.step, name="research-step"),
    path("studies/<slug:slug>/", views.study, name="research-study"),
    path("studies/<slug:slug>/progress/", views.progress, name="research-study-progress"),
    path("studies/<slug:slug>/about/", about_views.about, name="research-about"),
    path("studies/<slug:slug>/<study_things:things>/", bulk_views.rows, name="research-rows"),
    path("studies/<slug:slug>/<study_things:things>/<slug:deed>/", bulk_views.deed, name="research-deed"),
    path("studies/<slug:slug>/preview/", views.preview_study, name="research-preview"),
    path("studies/<slug:slug>/members/", member_views.members, name="research-members"),
    path("studies/<slug:slug>/members/<int:pk>/remove/", member_views.remove, name="research-member-remove"),
    path("studies/<slug:slug>/alerts/", alert_views.alerts, name="research-alerts"),
    path("studies/<slug:slug>/alerts/mine/", alert_views.mine, name="research-alerts-mine"),
    path("studies/<slug:slug>/copy/", member_views.copy, name="research-copy"),
    path("studies/<slug:slug>/preregistration/", preregistration_views.registrations, name="research-registrations"),
    path(
        "studies/<slug:slug>/preregistration/<int:number>/",
        preregistration_views.registration,
        name="research-registration",
    ),
    path(
        "studies/<slug:slug>/preregistration/<int:number>.<bundle_format:form>",
        preregistration_views.download,
        name="research-registration-file",
    ),
    path("studies/<slug:slug>/<study_move:to>/", views.move, name="research-move"),
]
