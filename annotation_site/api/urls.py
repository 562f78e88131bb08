from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView

from annotation_site.api import docs, views

urlpatterns = [
    path("v1/studies/<slug:slug>/", views.StudyView.as_view(), name="api-study"),
    path("v1/enrolments/", views.EnrolView.as_view(), name="api-enrol"),
    path("v1/enrolments/mine/", views.OwnView.as_view(), name="api-own"),
    path("v1/seats/", views.ClaimView.as_view(), name="api-claim"),
    path("v1/seats/<int:pk>/judgement/", views.JudgementView.as_view(), name="api-judge"),
    path("v1/seats/<int:pk>/heartbeat/", views.HeartbeatView.as_view(), name="api-heartbeat"),
    path("v1/seats/<int:pk>/release/", views.ReleaseView.as_view(), name="api-release"),
    path("v1/research/", include("annotation_site.api.research.urls")),
    path("v1/<path:rest>", views.NowhereView.as_view()),
    path("schema/", SpectacularJSONAPIView.as_view(), name="api-schema"),
    path("docs/", docs.page, name="api-docs"),
]
