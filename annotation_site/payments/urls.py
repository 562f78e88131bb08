from django.urls import path

from annotation_site.payments import batch_views, rater_views, views

urlpatterns = [
    path("<slug:slug>/", views.payments, name="payments"),
    path("<slug:slug>/scheme/", views.scheme, name="pay-scheme"),
    path("<slug:slug>/preview/", views.show_preview, name="pay-preview"),
    path("<slug:slug>/approve/", views.confirm, name="pay-approve"),
    path("<slug:slug>/ledger.csv", batch_views.ledger, name="pay-ledger"),
    path("<slug:slug>/batches/<int:number>/", batch_views.batch, name="pay-batch"),
    path("<slug:slug>/batches/<int:number>/finance.csv", batch_views.finance, name="pay-finance"),
    path("<slug:slug>/batches/<int:number>/paid/", batch_views.paid, name="pay-paid"),
    path("<slug:slug>/raters/<slug:pseudonym>/", rater_views.rater, name="pay-rater"),
    path("<slug:slug>/raters/<slug:pseudonym>/<slug:what>/", rater_views.decide, name="pay-decide"),
    path("<slug:slug>/entries/<int:pk>/take-back/", rater_views.take_back, name="pay-take-back"),
    path("<slug:slug>/entries/<int:pk>/try-again/", rater_views.try_again, name="pay-try-again"),
]
