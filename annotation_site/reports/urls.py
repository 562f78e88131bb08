from django.urls import path, register_converter
from django.urls.converters import StringConverter

from annotation_site.reports import views


class Format(StringConverter):
    regex = "svg|png|pdf"


register_converter(Format, "figure_format")

urlpatterns = [
    path("", views.index, name="reports"),
    path("<slug:slug>/", views.report, name="report"),
    path("<slug:slug>/rows.csv", views.rows, name="report-rows"),
    path("<slug:slug>/report.json", views.as_json, name="report-json"),
    path("<slug:slug>/figure.<figure_format:form>", views.figure, name="report-figure"),
    path("<slug:slug>/tags/<slug:group>/", views.group_items, name="report-items"),
]
