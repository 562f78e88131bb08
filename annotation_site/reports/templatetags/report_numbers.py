"""Numbers of a report on its pages: the value, and its interval or count beneath it, small."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from annotation_site.reports.measures import Measure, Share

register = template.Library()


@register.filter
def decimal(measure: Measure) -> SafeString:
    return _measure(measure, "{:.2f}")


@register.filter
def plain(measure: Measure) -> SafeString:
    return _measure(measure, "{:g}")


@register.filter
def percent(measure: Measure) -> SafeString:
    return _measure(measure, "{:.0%}")


@register.filter
def points(measure: Measure) -> SafeString:
    """A difference of shares, in percentage points."""
    value, low, high = (None if n is None else 100 * n for n in (measure.value, measure.low, measure.high))
    return _measure(Measure(value, low, high, measure.reason), "{:+.0f}")


@register.filter
def share(value: Share) -> SafeString:
    if not value.total:
        return _undefined(value.reason)
    return _two_lines(f"{value.count / value.total:.0%}", f"{value.count} of {value.total}")


def _measure(measure: Measure, write: str) -> SafeString:
    if measure.value is None:
        return _undefined(measure.reason)
    if measure.low is not None and measure.high is not None:
        return _two_lines(write.format(measure.value), f"{write.format(measure.low)} to {write.format(measure.high)}")
    if measure.reason:
        reason = f"interval undefined: {measure.reason}"
        return format_html(
            '<span>{}</span> <span class="beneath reason">{}</span>', write.format(measure.value), reason
        )
    return format_html("<span>{}</span>", write.format(measure.value))


def _two_lines(value: str, beneath: str) -> SafeString:
    return format_html('<span>{}</span> <span class="beneath digits">{}</span>', value, beneath)


def _undefined(reason: str) -> SafeString:
    """The reason; where it is only that there is nothing yet ("no ratings"), a dash to the eye, lest a table of a young
    study repeat itself."""
    if reason.startswith("no "):
        hidden = '<span title="undefined: {0}">&ndash;<span class="visually-hidden"> undefined: {0}</span></span>'
        return format_html(hidden, reason)
    return format_html('<span class="beneath reason">undefined: {}</span>', reason)
