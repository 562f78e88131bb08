from django.urls import path, register_converter
from django.urls.converters import StringConverter

from annotation_site.reports import deviation_views, downloads, exclusion_views, live_views, planning_views, views


class Format(StringConverter):
    regex = "svg|png|pdf"


class TableFormat(StringConverter):
    regex = "csv|tex"


class ReportFormat(StringConverter):
    regex = "html|pdf"


register_converter(Format, "figure_format")
register_converter(TableFormat, "table_format")
register_converter(ReportFormat, "report_format")

urlpatterns = [
    path("", views.index, name="reports"),
    path("-/planning/", planning_views.planning, name="planning"),
    path("<slug:slug>/", views.report, name="report"),
    path("<slug:slug>/live/", live_views.live_study, name="report-live"),
    path("<slug:slug>/live/now/", live_views.live_part, name="report-live-part"),
    path("<slug:slug>/exclusions/", exclusion_views.exclusions, name="report-exclusions"),
    path("<slug:slug>/deviations/", deviation_views.page, name="report-deviations"),
    path("<slug:slug>/deviations.json", deviation_views.as_json, name="report-deviations-json"),
    path("<slug:slug>/rows.csv", downloads.rows, name="report-rows"),
    path("<slug:slug>/report.json", downloads.as_json, name="report-json"),
    path("<slug:slug>/report.<report_format:form>", downloads.whole, name="report-whole"),
    path("<slug:slug>/export.zip", downloads.export, name="report-export"),
    path("<slug:slug>/figure.<figure_format:form>", downloads.figure, name="report-figure"),
    path("<slug:slug>/tables/<slug:name>.<table_format:form>", downloads.table, name="report-table"),
    path("<slug:slug>/tags/<str:group>/", views.group_items, name="report-items"),
    path("<slug:slug>/items/<int:position>/", live_views.item, name="report-item"),
]
