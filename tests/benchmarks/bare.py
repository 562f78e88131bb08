"""The site with the bare views of bench_rating.py beside its own, behind the same middleware."""

from __future__ import annotations

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

application = get_wsgi_application()


class Row(models.Model):
    token = models.CharField(max_length=64, unique=True)
    answers = models.IntegerField()

    class Meta:
        app_label = "bare"
        db_table = "bare_row"

    def __str__(self) -> str:
        return self.token


class Answer(models.Model):
    row = models.ForeignKey(Row, on_delete=models.CASCADE)
    value = models.IntegerField()
    at = models.DateTimeField()

    class Meta:
        app_label = "bare"
        db_table = "bare_answer"

    def __str__(self) -> str:
        return str(self.value)


@csrf_exempt
def bare(request: HttpRequest, token: str) -> HttpResponse:
    """One indexed SELECT; by POST one INSERT and one UPDATE."""
    if request.method == "POST":
        with transaction.atomic():
            Answer.objects.create(row_id=1, value=int(request.POST["answer"]), at=timezone.now())
            Row.objects.filter(token=token).update(answers=models.F("answers") + 1)
        return redirect("bare", token=token)
    row = Row.objects.get(token=token)
    return HttpResponse(f"<!doctype html><title>{row.answers}</title>")


settings.ROOT_URLCONF = "bare_urls"
