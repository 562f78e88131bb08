"""The audit log in the administration: who did what, when, to what, and why. Read by admins, changed by nobody."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.paginator import InfinitePaginator
from unfold.utils import parse_date_str

from annotation_site.admin_history import ReadOnlyAdmin
from annotation_site.raters.models import Enrolment, Rater
from annotation_site.stimuli.models import Generation
from annotation_site.studies.models import ConsentText, Item, KnownAnswer, Member, Study

#: How each kind of row is found from a study. What was deleted since is found by its name alone.
OF_A_STUDY: dict[type[Model], str] = {
    Study: "pk",
    ConsentText: "study",
    KnownAnswer: "item__study",
    Member: "study",
    Item: "study",
    Enrolment: "study",
    Rater: "enrolments__study",
    Generation: "items__study",
}
KINDS: tuple[type[Model], ...] = (*OF_A_STUDY, User)
NOBODY = "nobody"
LISTED = 500
SECRET = ("password", "token", "secret", "hash", "code")
# An entry is a line in the list; its own page says all of it.
LONGEST = 160


class StudyFilter(DropdownFilter):
    title, parameter_name = "study", "study"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[int, str]]:
        return list(Study.objects.run_by(request.user).values_list("pk", "title")[:LISTED])

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        number = self.value() or ""
        return queryset.filter(of_study(int(number))) if number.isascii() and number.isdecimal() else queryset


class ActorFilter(DropdownFilter):
    title, parameter_name = "who", "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        people = User.objects.order_by("username").values_list("pk", "username")[:LISTED]
        return [(NOBODY, "nobody signed in"), *people]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        who = self.value() or ""
        if who == NOBODY:
            return queryset.filter(actor=None)
        return queryset.filter(actor=int(who)) if who.isascii() and who.isdecimal() else queryset


class KindFilter(DropdownFilter):
    title, parameter_name = "what", "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind._meta.label_lower, str(kind._meta.verbose_name)) for kind in KINDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        kind = next((kind for kind in KINDS if kind._meta.label_lower == self.value()), None)
        return queryset if kind is None else queryset.filter(content_type=ContentType.objects.get_for_model(kind))


class DayFilter(RangeDateFilter):
    """From one day to another, both whole, in UTC."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        first, last = self._day("from"), self._day("to")
        if first:
            queryset = queryset.filter(timestamp__gte=first)
        return queryset.filter(timestamp__lt=last + timedelta(days=1)) if last else queryset

    def _day(self, end: str) -> datetime | None:
        day = parse_date_str(str(self.used_parameters.get(f"{self.parameter_name}_{end}", "")))
        return datetime.combine(day, time.min, UTC) if day and day < date.max else None


def of_study(number: int) -> Q:
    """Entries about the study, and about all rows that belong to it."""
    found = Q()
    for kind, path in OF_A_STUDY.items():
        rows = kind._default_manager.filter(**{path: number}).order_by().values("pk")
        found |= Q(content_type=ContentType.objects.get_for_model(kind), object_id__in=rows)
    return found


admin.site.unregister(LogEntry)


@admin.register(LogEntry)
class AuditLogAdmin(ReadOnlyAdmin, ModelAdmin):
    """In place of auditlog's own, which counts all entries and shows rows' numbers."""

    list_display = ("when", "who", "what", "changed", "why")
    list_display_links = ("when",)
    list_filter = (StudyFilter, ActorFilter, KindFilter, ("timestamp", DayFilter))
    list_filter_submit = True
    list_select_related = ("content_type", "actor")
    search_fields = ("object_repr",)
    search_help_text = "By the name of what was changed: a study's title, a rater's pseudonym, a word."
    ordering = ("-timestamp", "-id")
    list_per_page = 50
    paginator = InfinitePaginator
    show_full_result_count = False

    class Media:
        css = {"all": ("css/administration.css",)}

    fields = readonly_fields = ("when", "who", "what", "all_changed", "why", "request_id")

    @admin.display(description="when (UTC)", ordering="timestamp")
    def when(self, entry: LogEntry) -> str:
        return f"{entry.timestamp:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="who")
    def who(self, entry: LogEntry) -> str:
        return entry.actor.get_username() if entry.actor else (entry.additional_data or {}).get("by", "not known")

    @admin.display(description="what")
    def what(self, entry: LogEntry) -> str:
        did = {LogEntry.Action.CREATE: "new ", LogEntry.Action.DELETE: "deleted "}.get(entry.action, "")
        kind = entry.content_type.name
        kind = did.strip() if did and entry.object_repr.startswith(kind) else f"{did}{kind}"
        address = "" if entry.action == LogEntry.Action.DELETE else _address(entry)
        if not address:
            return format_html("{}: {}", kind, entry.object_repr)
        return format_html('{}: <a href="{}">{}</a>', kind, address, entry.object_repr)

    @admin.display(description="changed")
    def changed(self, entry: LogEntry) -> str:
        text = "; ".join(_changes(entry))
        return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"

    @admin.display(description="changed")
    def all_changed(self, entry: LogEntry) -> str:
        return format_html_join("", "<p>{}</p>", ((line,) for line in _changes(entry))) or "-"

    @admin.display(description="why")
    def why(self, entry: LogEntry) -> str:
        return str((entry.additional_data or {}).get("reason") or "-")

    @admin.display(description="request")
    def request_id(self, entry: LogEntry) -> str:
        return entry.cid or "-"


def _address(entry: LogEntry) -> str:
    kind = entry.content_type
    try:
        return reverse(f"admin:{kind.app_label}_{kind.model}_change", args=[entry.object_pk])
    except NoReverseMatch:
        return ""


def _changes(entry: LogEntry) -> list[str]:
    """Each field with old and new value; of relations what was added and removed; nothing of secrets."""
    if entry.action != LogEntry.Action.UPDATE:
        return []
    lines = []
    for name, change in entry.changes_dict.items():
        label = name.replace("_", " ")
        if any(word in name for word in SECRET):
            lines.append(f"{label}: [hidden]")
        elif isinstance(change, dict):
            lines.append(f"{label}: {change.get('operation')} {', '.join(change.get('objects', []))}")
        else:
            lines.append(f"{label}: {_value(change[0])} → {_value(change[1])}")
    return lines


def _value(text: Any) -> str:
    return "nothing" if text in ("", "None", None) else str(text)
