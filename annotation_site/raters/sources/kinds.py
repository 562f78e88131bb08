"""What each kind of source does, and the built-in kinds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from django.utils.translation import gettext as _

from annotation_site.raters.models import Enrolment
from annotation_site.raters.source_rows import PLACEHOLDERS, Invitation, Outcome, Source
from annotation_site.raters.sources.invitations import secret_hash

ID = re.compile(r"[A-Za-z0-9._~@:+=-]{1,128}")
# What panels leave in a link when they did not put an id there: {{%PROLIFIC_PID%}}, ${workerId}, %SURVEY_CODE%, [ID].
TEMPLATE = re.compile(r"[{}$%<>\[\]]|^ASSIGNMENT_ID_NOT_AVAILABLE$")


class ArrivalProblem(Exception):
    """Nobody can be let in by this link; the message tells the rater why and what to do."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Arrival:
    """Who came: the ids that the source gave. An empty ``person`` is somebody whom nobody names."""

    person: str = ""
    session: str = ""
    study: str = ""


@dataclass(frozen=True)
class End:
    """What a rater gets at the end: a code to show and an address to go back to; either may be empty."""

    code: str = ""
    address: str = ""


class SourceKind:
    """How one kind of source works. The built-in ones and Prolific's say otherwise where they differ."""

    key: str
    #: What a new source of this kind says about payment until it is told otherwise.
    paid_by: str = Source.PaidBy.NONE

    def parameters(self, source: Source) -> dict[str, str]:
        """The names of the link's parameters by what they carry: ``person``, ``session``, ``study``."""
        return {}

    def carriers(self, source: Source) -> set[str]:
        """The parameters by any of which a link says who comes."""
        return set(self.parameters(source).values())

    def identify(self, source: Source, given: Mapping[str, str], *, site: str, now: datetime) -> Arrival:
        """Who came by this link; ``given`` are its parameters, ``site`` is our own origin. Raises ArrivalProblem."""
        names = self.parameters(source)
        return Arrival(**{role: _read(given, name, needed=role == "person") for role, name in names.items()})

    def namespace(self, source: Source) -> str:
        """Two sources of one kind and one namespace mean the same person by the same id; a slug."""
        return source.name

    def enrolled(self, enrolment: Enrolment, arrival: Arrival, now: datetime) -> None:
        """Note what is to be kept of an arrival that has become, or is again, this enrolment; in its transaction."""

    def end(self, source: Source, outcome: Outcome, arrival: Arrival) -> End:
        """How it ends for someone who came by these ids. An address that needs an id we no longer have is left out."""
        chosen = source.ends.get(outcome, {})
        code, template = chosen.get("code", ""), chosen.get("address", "")
        ids = {"code": code, "person": arrival.person, "session": arrival.session, "study": arrival.study}
        if any(f"{{{name}}}" in template and not ids[name] for name in PLACEHOLDERS):
            template = ""
        return End(code, template.format(**{name: quote(value, safe="") for name, value in ids.items()}))


def _read(given: Mapping[str, str], name: str, *, needed: bool) -> str:
    """One parameter of the link, in whatever case it is written."""
    folded = {key.casefold(): value for key, value in given.items()}
    value = folded.get(name.casefold(), "").strip()
    if TEMPLATE.search(value) and needed:
        raise ArrivalProblem(
            _(
                "The link says “%(value)s” where your id should be: whoever set up the study pasted it where the id is "
                "not filled in. Open the study from the site that listed it, and tell its researchers if this comes "
                "again. Nothing was stored."
            )
            % {"value": value[:60]}
        )
    if not value and needed:
        raise ArrivalProblem(
            _(
                "The link has no “%(name)s”, which says who you are. Open the study from the site that listed it, and "
                "not by a copied address. Nothing was stored."
            )
            % {"name": name}
        )
    if value and not ID.fullmatch(value) and needed:
        raise ArrivalProblem(
            _("“%(name)s” in the link does not look like an id. Open the study from the site that listed it again.")
            % {"name": name}
        )
    return value if ID.fullmatch(value) else ""


class OpenLink(SourceKind):
    """Anyone who has the link; the browser alone knows who they are."""

    key = Source.Kind.OPEN

    def identify(self, source: Source, given: Mapping[str, str], *, site: str, now: datetime) -> Arrival:
        return Arrival()


class UrlParameters(SourceKind):
    """A panel that adds its ids to the link under names of its own."""

    key = Source.Kind.PARAMETERS
    paid_by = Source.PaidBy.OUTSIDE

    def parameters(self, source: Source) -> dict[str, str]:
        return {role: name for role, name in source.parameters.items() if name and role in PLACEHOLDERS}


class InvitationLink(SourceKind):
    """A link that was made for one person: by e-mail or on paper."""

    key = Source.Kind.INVITATION
    paid_by = Source.PaidBy.CODE

    def parameters(self, source: Source) -> dict[str, str]:
        return {"person": "invitation"}

    def identify(self, source: Source, given: Mapping[str, str], *, site: str, now: datetime) -> Arrival:
        secret = super().identify(source, given, site=site, now=now).person
        invitation = Invitation.objects.filter(source=source, secret_hash=secret_hash(secret)).first()
        if invitation is None:
            raise ArrivalProblem(_("This invitation is not one of ours: check that all of the link was copied."))
        check_usable(invitation, now)
        return Arrival(person=str(invitation.pk))

    def namespace(self, source: Source) -> str:
        return "invitation"

    def enrolled(self, enrolment: Enrolment, arrival: Arrival, now: datetime) -> None:
        invitation = Invitation.objects.get(pk=arrival.person)
        check_usable(invitation, now)
        free = Invitation.objects.filter(pk=invitation.pk, enrolment__isnull=True, revoked_at__isnull=True)
        if invitation.enrolment_id != enrolment.pk and not free.update(enrolment=enrolment):
            raise ArrivalProblem(
                _("This invitation was taken back. Ask the people who gave it to you for another one.")
            )


def check_usable(invitation: Invitation, now: datetime) -> None:
    """Raise ArrivalProblem for an invitation that was taken back, or ran out before it was used."""
    if invitation.revoked_at is not None:
        raise ArrivalProblem(_("This invitation was taken back. Ask the people who gave it to you for another one."))
    if invitation.expires_at is not None and invitation.expires_at <= now and invitation.enrolment_id is None:
        raise ArrivalProblem(_("This invitation has run out. Ask the people who gave it to you for another one."))


_KINDS: dict[str, SourceKind] = {}


def register(kind: SourceKind) -> None:
    """Make a kind known; done once, when the application starts."""
    _KINDS[str(kind.key)] = kind


def kind_of(source: Source | str) -> SourceKind:
    """The kind of a source, or by its key."""
    return _KINDS[str(source.kind if isinstance(source, Source) else source)]


for built_in in (OpenLink(), UrlParameters(), InvitationLink()):
    register(built_in)
