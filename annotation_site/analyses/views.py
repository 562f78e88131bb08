"""The browser of generations: find them, look at each word's map, and put maps side by side."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from annotation_site.analyses import search
from annotation_site.reports.access import researchers_only
from annotation_site.studies.access import generations_to_read

A_PAGE = 24
COMPARED = 24
"""Maps side by side at most; the address of more would be refused by some servers."""


@researchers_only
def index(request: HttpRequest) -> HttpResponse:
    generations = generations_to_read(request)
    wanted = search.Search.of(request.GET.dict())
    page = Paginator(wanted.among(generations), A_PAGE).get_page(request.GET.get("page"))
    fields = {name: getattr(wanted, name) for name in ("prompt", "word", "tag", "recipe") if getattr(wanted, name)}
    context = {
        "wanted": wanted,
        "page": page,
        "found": [search.shown(generation, wanted) for generation in page.object_list],
        "tags": search.TAGS,
        "recipes": search.recipes(generations),
        "query": f"{urlencode(fields)}&" if fields else "",
    }
    return render(request, "analyses/generations.html", context)


@researchers_only
def generation(request: HttpRequest, identity: str) -> HttpResponse:
    try:
        chosen = search.one(identity, request.GET.get("word", ""), generations_to_read(request))
    except search.UnknownReference as error:
        raise Http404(str(error)) from error
    words = [search.reference(chosen.generation, word) for word in chosen.words][:COMPARED]
    return render(request, "analyses/generation.html", {"shown": chosen, "every_word": _compare(words)})


@researchers_only
def same_prompt(request: HttpRequest, identity: str) -> HttpResponse:
    """On to the word's maps in every image of this prompt, side by side."""
    try:
        chosen = search.one(identity, request.GET.get("word", ""), generations_to_read(request))
    except search.UnknownReference as error:
        raise Http404(str(error)) from error
    return redirect(_compare(search.of_same_prompt(chosen, COMPARED, generations_to_read(request))))


@researchers_only
def compare(request: HttpRequest) -> HttpResponse:
    references = list(dict.fromkeys(request.GET.getlist("of")))
    try:
        found = search.referenced(references[:COMPARED], generations_to_read(request))
    except search.UnknownReference as error:
        raise Http404(str(error)) from error
    without = [_compare([other for other in references if other != each.reference]) for each in found]
    context = {
        "found": list(zip(found, without, strict=True)),
        "left_out": max(0, len(references) - COMPARED),
        "most": COMPARED,
    }
    return render(request, "analyses/compare.html", context)


def _compare(references: list[str]) -> str:
    return f"{reverse('compare')}?{urlencode([('of', each) for each in references])}"
