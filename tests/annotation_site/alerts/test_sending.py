"""Mails to a real server, which refuses, hangs up and takes them; and the link in each that ends them."""

from __future__ import annotations

import threading
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from annotation_site.alerts.links import mute_address
from annotation_site.alerts.models import Alert, Kind, Notice, Subscription
from annotation_site.alerts.sending import send
from annotation_site.alerts.tasks import looked
from annotation_site.rating.assignment import database_now
from annotation_site.studies.members import Member
from annotation_site.studies.models import Study

pytestmark = pytest.mark.django_db
DATA = {
    Kind.FINISHED: {"answers": 12},
    Kind.AGREEMENT: {"value": 0.125, "below": 0.2, "answers": 120},
    Kind.FAILURES: {"percent": 50, "before": 25, "raters": 10},
    Kind.STUCK: {"waiting": 3, "failed": 1, "reason": "out of memory", "minutes": 30, "idle": True},
}


@pytest.fixture
def due(make_study, subscriber):
    """``due(Kind.STUCK, locale="ko")``: a notice to be sent now."""

    def make(kind: Kind = Kind.FINISHED, locale: str = "en") -> Notice:
        study, now = make_study(items=1), database_now()
        subscription = subscriber(study, locale=locale)
        alert = Alert.objects.create(study=study, kind=kind, episode=1, data=DATA[kind], began_at=now)
        return Notice.objects.create(alert=alert, subscription=subscription, due_at=now)

    return make


def again(notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(due_at=database_now())


def test_a_mail_is_plain_and_says_what_to_do_where_and_how_to_end_it(due, mails, settings):
    settings.SITE_ADDRESS = "https://rate.example.org"
    notice = due(Kind.AGREEMENT)
    Study.objects.update(title="Two\nlines")
    assert send(notice.pk) is True
    [mail] = mails.got
    assert mails.to == ["rosa@example.org"]
    assert (mail["Subject"], mail["From"]) == ("Two lines: raters agree too little", "Attest <attest@example.org>")
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content()
    assert "alpha 0.12 over 120 answers: below your bound of 0.2" in text.replace("\n", " ")
    assert "https://rate.example.org/reports/study/live/" in text
    assert mail["List-Unsubscribe"].strip() == f"<{mute_address(notice.subscription)}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mute_address(notice.subscription) in text
    assert mail["Message-ID"] == f"<{notice.uid}@rate.example.org>"
    assert send(notice.pk) is None
    assert Notice.objects.get().state == "sent"


@pytest.mark.parametrize("kind", Kind.values)
@pytest.mark.parametrize("locale", ["en", "ko"])
def test_each_kind_is_said_in_the_language_it_was_asked_for_in(due, mails, kind, locale):
    assert send(due(kind, locale).pk) is True
    [mail] = mails.got
    whole = mail["Subject"] + mail.get_content()
    assert any("가" <= letter <= "힣" for letter in whole) == (locale == "ko")
    assert "%(" not in whole


def test_a_server_that_refuses_and_hangs_up_is_tried_again_until_it_takes_it(due, mails):
    notice = due()
    mails.script += ["451 4.3.0 try later", "hang up"]
    for attempt, said in enumerate(("try later", "closed"), start=1):
        assert send(notice.pk) is False
        notice.refresh_from_db()
        assert said in notice.error
        assert (notice.state, notice.attempts) == ("waiting", attempt)
        assert notice.due_at > database_now() + Notice.WAITS[attempt - 1] - timedelta(seconds=30)
        assert send(notice.pk) is None
        again(notice)
    assert send(notice.pk) is True
    notice.refresh_from_db()
    assert (notice.state, notice.error, len(mails.got)) == ("sent", "", 1)


def test_it_is_given_up_at_last(due, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    notice = due()
    Notice.objects.update(attempts=len(Notice.WAITS))
    assert send(notice.pk) is False
    notice.refresh_from_db()
    assert (notice.state, notice.error.partition(":")[0]) == ("failed", "ConnectionRefusedError")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda: Subscription.objects.update(muted_at=database_now()), "muted"),
        (lambda: Member.objects.all().delete(), "may not read"),
        (lambda: Subscription.objects.get().user.__class__.objects.update(is_active=False), "may not read"),
        (lambda: Subscription.objects.get().user.__class__.objects.update(email=""), "no e-mail address"),
        (lambda: Alert.objects.update(ended_at=database_now()), "over before"),
    ],
)
def test_what_is_not_wanted_any_more_is_not_sent(due, mails, change, why):
    notice = due()
    change()
    assert send(notice.pk) is False
    notice.refresh_from_db()
    assert (notice.state, mails.got) == ("dropped", [])
    assert why in notice.error


@pytest.mark.parametrize(
    ("language", "said"), [("en", "It was over before it could be sent."), ("ko", "보내기 전에 상황이 끝났습니다.")]
)
def test_why_nothing_was_sent_stands_on_the_studys_page_in_its_readers_language(client, due, mails, language, said):
    notice = due()
    Alert.objects.update(ended_at=database_now())
    send(notice.pk)
    client.force_login(notice.subscription.user)
    page = client.get("/research/studies/study/alerts/", headers={"Accept-Language": language})
    assert said in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_many_senders_one_sends_it(due, mails):
    notice, outcomes = due(), []

    def work() -> None:
        try:
            outcomes.append(send(notice.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(map(str, outcomes)), len(mails.got)) == (["None"] * 3 + ["True"], 1)


def test_the_command_looks_and_sends(make_study, fill, subscriber, mails, capsys):
    study = make_study(items=1, seats_per_item=1)
    subscriber(study)
    fill(study, {"NOUN": [(4,)]})
    call_command("send_alerts")
    call_command("send_alerts")
    assert capsys.readouterr().out.splitlines() == [
        f"{number} sent, 0 not sent (see the studies' pages)." for number in (1, 0)
    ]
    assert [mail["Subject"] for mail in mails.got] == ["A study: every place is answered"]
    assert looked() == []


def test_the_link_in_a_mail_mutes_and_only_when_it_is_asked_to(due, mails):
    notice = due()
    send(notice.pk)
    path = urlsplit(mails.got[0]["List-Unsubscribe"].strip(" <>")).path
    stranger = Client(enforce_csrf_checks=True)
    page = stranger.get(path).content.decode()
    assert "No more mails of this study?" in page
    assert Subscription.objects.get().muted_at is None
    # As mail programs send it: without a session, a cookie or a token.
    response = stranger.post(path, {"List-Unsubscribe": "One-Click"})
    assert (response.status_code, "You get no more mails" in response.content.decode()) == (200, True)
    muted = Subscription.objects.get().muted_at
    assert muted is not None
    stranger.post(path)
    assert Subscription.objects.get().muted_at == muted
    assert "You get no more mails" in stranger.get(path).content.decode()


@pytest.mark.parametrize("token", ["1", "1:forged", "x" * 200, "%00"])
def test_a_link_that_was_not_made_here_does_nothing(due, token):
    due()
    assert Client().post(f"/alerts/mute/{token}/").status_code == 404
    assert Subscription.objects.get().muted_at is None
