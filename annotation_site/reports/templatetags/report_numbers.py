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
    scaled = [None if number is None else 100 * number for number in (measure.value, measure.low, measure.high)]
    return _measure(Measure(*scaled, reason=measure.reason), "{:+.0f}")


@register.filter
def share(value: Share) -> SafeString:
    if not value.total:
        return _undefined(value.reason)
    return _two_lines(f"{value.count / value.total:.0%}", f"{value.count} of {value.total}")


def _measure(measure: Measure, write: str) -> SafeString:
    if measure.value is None:
        return _undefined(measure.reason)
    if measure.low is None or measure.high is None:
        beneath = f"interval undefined: {measure.reason}" if measure.reason else ""
    else:
        beneath = f"{write.format(measure.low)} to {write.format(measure.high)}"
    return _two_lines(write.format(measure.value), beneath)


def _two_lines(value: str, beneath: str) -> SafeString:
    if not beneath:
        return format_html("<span>{}</span>", value)
    return format_html('<span>{}</span> <span class="beneath">{}</span>', value, beneath)


def _undefined(reason: str) -> SafeString:
    return format_html('<span class="beneath">undefined: {}</span>', reason)
