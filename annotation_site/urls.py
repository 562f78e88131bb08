"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

handler500 = "annotation_site.failures.failed"
urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("annotation_site.accounts.urls")),
    path("language/", set_language, name="set_language"),
    path("stimuli/maps/", include("annotation_site.studies.urls")),
    path("stimuli/", include("annotation_site.stimuli.urls")),
    path("import/", include("annotation_site.studies.importing.urls")),
    path("research/", include("annotation_site.research.urls")),
    path("reports/", include("annotation_site.reports.urls")),
    path("", include("annotation_site.recruitment.urls")),
    path("", include("annotation_site.analyses.urls")),
    path("payments/", include("annotation_site.payments.urls")),
    path("rate/", include("annotation_site.rating.urls")),
    path("webhooks/", include("annotation_site.webhooks.urls")),
    path("alerts/", include("annotation_site.alerts.urls")),
    path("api/", include("annotation_site.api.urls")),
    path("", include("annotation_site.operations.urls")),
    path("", include("annotation_site.raters.urls")),
]
