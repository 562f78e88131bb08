from django.urls import path

from annotation_site.api.research import items, raters, reporting, studies, webhooks

STUDY = "studies/<slug:slug>/"
ITEM, RATER = f"{STUDY}items/<int:position>/", f"{STUDY}enrolments/<str:rater>/"
HOOK = "webhooks/<uuid:webhook>/"
urlpatterns = [
    path("studies/", studies.StudiesView.as_view(), name="api-research-studies"),
    path(STUDY, studies.StudyView.as_view(), name="api-research-study"),
    path(f"{STUDY}progress/", studies.ProgressView.as_view(), name="api-research-progress"),
    path(f"{STUDY}open/", studies.OpenView.as_view(), name="api-research-open"),
    path(f"{STUDY}pause/", studies.PauseView.as_view(), name="api-research-pause"),
    path(f"{STUDY}close/", studies.CloseView.as_view(), name="api-research-close"),
    path(f"{STUDY}items/", items.ItemsView.as_view(), name="api-research-items"),
    path(ITEM, items.ItemView.as_view(), name="api-research-item"),
    path(f"{ITEM}withdraw/", items.WithdrawView.as_view(), name="api-research-withdraw"),
    path(f"{STUDY}generations/", items.GenerationsView.as_view(), name="api-research-generations"),
    path(f"{STUDY}generations/retry/", items.RetryView.as_view(), name="api-research-retry"),
    path(f"{STUDY}generations/<str:identity>/", items.GenerationView.as_view(), name="api-research-generation"),
    path(f"{STUDY}enrolments/", raters.EnrolmentsView.as_view(), name="api-research-enrolments"),
    path(RATER, raters.EnrolmentView.as_view(), name="api-research-enrolment"),
    path(f"{RATER}exclude/", raters.ExcludeView.as_view(), name="api-research-exclude"),
    path(f"{RATER}restore/", raters.RestoreView.as_view(), name="api-research-restore"),
    path(f"{STUDY}simulated-raters/", raters.SimulateView.as_view(), name="api-research-simulate"),
    path(f"{STUDY}judgements/", raters.JudgementsView.as_view(), name="api-research-judgements"),
    path(f"{STUDY}report/", reporting.ReportView.as_view(), name="api-research-report"),
    path("webhooks/", webhooks.WebhooksView.as_view(), name="api-research-webhooks"),
    path(HOOK, webhooks.WebhookView.as_view(), name="api-research-webhook"),
    path(f"{HOOK}secret/", webhooks.SecretView.as_view(), name="api-research-secret"),
    path(f"{HOOK}deliveries/", webhooks.DeliveriesView.as_view(), name="api-research-deliveries"),
    path(
        f"{HOOK}deliveries/<uuid:delivery>/redeliver/", webhooks.RedeliverView.as_view(), name="api-research-redeliver"
    ),
]
