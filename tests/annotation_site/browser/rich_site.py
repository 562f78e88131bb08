"""A site on which every page has something to show: studies in each state, raters at each step, money, ways in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.utils import timezone

from annotation_site.payments import approving
from annotation_site.payments.accounts import accounts
from annotation_site.raters.models import Enrolment, PracticeAnswer, Rater, Source
from annotation_site.raters.sources.invitations import make_batch
from annotation_site.raters.sources.presets import new_source
from annotation_site.rating import assignment
from annotation_site.rating.models import Judgement
from annotation_site.recruitment.drafts import draft_of
from annotation_site.reports.preregistration.registering import register
from annotation_site.studies.gold import add_known_item
from annotation_site.studies.members import Member
from annotation_site.studies.models import ConsentText, Study, StudyOrder
from annotation_site.webhooks import changes
from annotation_site.webhooks.models import Event
from tests.annotation_site.payments.conftest import make_scheme, rated

PASSWORD = "a long password of theirs"
ABOUT = {
    "organisation": "Rosa Li and Max Weber, University of Testing",
    "contact": "study@example.org",
    "ethics_board": "Ethics board of the University of Testing",
    "ethics_number": "2026-17",
    "ethics_contact": "ethics@example.org",
    "data_kept": "ten years after publication",
}
SWAPS = "a {rusty, metallic, wooden} shovel in a clean shed"
#: What was typed on each of the wizard's pages, so that every one of them is filled and the last one opens.
TYPED = {
    "captions": {"captions": ["tinyworld"]},
    "pairs": {"per_tag": ["20"], "tags": ["4"], "seed": ["0"]},
    "arms": {"arms": ["other-word", "blob"]},
    "nouns": {"ontology": ["tinyworld"], "prompts": ["4"], "seeds": ["2"], "seed": ["3"]},
    "sets": {"templates": [SWAPS], "images": ["2"], "seed": ["0"]},
    "model": {"model": ["tinyworld"]},
    "raters": {"seats_per_item": ["3"], "cap_share": ["18"]},
    "pay": {"seconds": ["15"], "pay": ["0.05"], "currency": ["GBP"], "fees": ["30"]},
    "about": {"organisation": [ABOUT["organisation"]], "contact": [ABOUT["contact"]], "listed": ["on"]},
    "name": {"title": ["Forks and knives"], "slug": ["forks"]},
}


class RichSite:
    """The rows by the names that addresses have; ``make_study``, ``make_changes`` and a folder are the test's."""

    def __init__(self, make_study: Callable[..., Study], make_changes: Callable[..., Study], folder: Path) -> None:
        self.make_study = make_study
        # What is made is called "study", as the next one is.
        Study.objects.filter(pk=make_changes().pk).update(slug="changes")
        self.people()
        self.study = self.judged_study()
        call_command("analyse", "intensity", "study", "--out", str(folder / "intensity"), verbosity=0)
        self.money()
        self.flow = self.study_with_every_step()
        self.others()
        self.ways_in()
        self.orders()

    def people(self) -> None:
        now = timezone.now()
        self.admin = User.objects.create_superuser("admin", password=PASSWORD, last_login=now)
        self.researcher, self.viewer = (User.objects.create_user(name, password=PASSWORD) for name in ("rosa", "vera"))
        # Tests that commit end with empty tables, and this row of a migration is gone after the first of them.
        researchers, _new = Group.objects.get_or_create(name="researchers")
        researchers.permissions.add(Permission.objects.get(codename="add_study"))
        self.researcher.groups.add(researchers)
        TOTP.activate(self.viewer, generate_totp_secret())
        RecoveryCodes.activate(self.viewer)
        self.newcomer = User.objects.create_user("nora")

    def belongs(self, study: Study) -> Study:
        for user, role in ((self.researcher, Member.Role.RESEARCHER), (self.viewer, Member.Role.VIEWER)):
            Member.objects.create(study=study, user=user, role=role)
        return study

    def judged_study(self) -> Study:
        study = self.belongs(self.make_study(items=8, seats_per_item=5, **ABOUT))
        ConsentText.objects.create(study=study, version="own", text="Do you agree?")
        self.raters = [rated(study, answers=8) for _ in range(3)]
        for judgement in Judgement.objects.all():
            rating = 1 + (judgement.pk * 7 + judgement.seat.item_id) % 5
            Judgement.objects.filter(pk=judgement.pk).update(rating=rating)
        register(study, {"hypotheses": "Nouns are mapped better than determiners."}, by="rosa", now=timezone.now())
        return study

    def money(self) -> None:
        make_scheme(self.study, base=100, per_item=5, bonus_complete=50, hourly_minimum=900)
        wanted = [account.enrolment.pk for account in accounts(self.study)][:1]
        digest = approving.preview(self.study, wanted).digest
        self.batch = approving.approve(self.study, wanted, digest, by="rosa", now=timezone.now())
        self.webhook, _secret = changes.register(
            self.researcher, address="https://example.org/hook", events=[Event.CLOSED, Event.PAUSED]
        )

    def study_with_every_step(self) -> Study:
        """Instructions, practice, a request for care and a break: a rater waits at each."""
        study = self.make_study(slug="flow", items=4, seats_per_item=9, opened=False, instructions_shown=True, **ABOUT)
        item = study.items.select_related("generation", "word").first()
        known = {"lowest": 5, "highest": 5}
        add_known_item(study, item.generation, item.word, purpose="practice", known=known, map_source="uniform")
        Study.objects.filter(pk=study.pk).update(break_every=2)
        study.refresh_from_db()
        assignment.open_study(study)
        now, ready = timezone.now(), {"instructed_at": timezone.now(), "ready_at": timezone.now()}
        self.at = {
            "instructions": self.enrol(study),
            "practice": self.enrol(study, instructed_at=now),
            "care": self.enrol(study, check_failure="2 of 3 checks failed", **ready),
            "rate": self.enrol(study, **ready),
            "practice feedback": self.enrol(study, instructed_at=now),
        }
        PracticeAnswer.objects.create(
            enrolment=self.at["practice feedback"], item=study.items.get(purpose="practice"), rating=1,
            acceptable=False, answered_at=now,
        )  # fmt: skip
        resting = rated(study, answers=2)
        Enrolment.objects.filter(pk=resting.pk).update(completed_at=None, consented_at=now, **ready)
        self.at["break"] = self.at["last"] = resting
        return study

    def enrol(self, study: Study, **fields: object) -> Enrolment:
        consent = {"consent_version": "1", "consented_at": timezone.now()}
        return Enrolment.objects.create(study=study, rater=Rater.objects.create(), **consent, **fields)

    def others(self) -> None:
        """A draft, a paused study, a closed one with somebody who is done, one that is full, and other questions."""
        self.draft = self.belongs(self.make_study(slug="draft", items=2, opened=False, done=False))
        for slug, end in (("paused", assignment.pause_study), ("closed", assignment.close_study)):
            study = self.make_study(slug=slug, items=2, **ABOUT)
            if slug == "closed":
                self.at["done"] = rated(study, answers=2)
            end(study)
        self.make_study(slug="full", items=1, **ABOUT).seats.all().delete()
        self.make_study(slug="presence", kind="presence", items=2)
        for slug in ("presence", "changes"):
            self.at[slug] = self.enrol(Study.objects.get(slug=slug), ready_at=timezone.now())

    def ways_in(self) -> None:
        study = self.belongs(self.make_study(slug="recruiting", items=2, **ABOUT))
        for preset in ("open", "invitation", "prolific", "sona"):
            source = new_source(study, preset, preset)
            source.save()
            if preset == "invitation":
                make_batch(source, number=3, batch="class of May", expires_at=timezone.now() + timedelta(days=9))
            if preset == "prolific":
                there = draft_of(source)
                there.description = "Look at pictures and say how well the highlighting fits a word."
                there.save()
                self.endings(source)
        # Through a narrow door, and a closed one.
        Source.objects.filter(study=study, name="open").update(smallest_width=300)
        new_source(study, "open", "shut").save()
        Source.objects.filter(study=study, name="shut").update(closed_at=timezone.now())

    def endings(self, source: Source) -> None:
        """Somebody for each way in which a part ends, with the code that it has."""
        now = timezone.now()
        ends = {
            "screened-out": {"screened_out_at": now},
            "failed-checks": {"check_failure": "3 of 4", "excluded_at": now, "exclusion_reason": "3 of 4"},
            "returned": {"left_at": now},
        }
        self.at["done code"] = rated(source.study, answers=2, source=source)
        for place, (name, fields) in enumerate(ends.items(), start=2):
            self.at[f"done {name}"] = self.enrol(source.study, arrived_by=source, place=place, **fields)

    def orders(self) -> None:
        now = timezone.now()
        self.order = {
            preset: StudyOrder.objects.create(orderer=self.researcher, preset=preset, answers=TYPED)
            for preset in ("comparison", "presence", "change")
        }
        more = {"orderer": self.researcher, "preset": "presence", "answers": TYPED, "ordered_at": now}
        more["choices"] = {"title": "Forks and knives"}
        self.order["failed"] = StudyOrder.objects.create(state="failed", error="There are not enough nouns.", **more)
        self.order["queued"] = StudyOrder.objects.create(state="queued", **more)
