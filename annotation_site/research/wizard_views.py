"""The wizard: a question a page, kept as a row, so that it can be left and gone on with on another device."""

from __future__ import annotations

import hashlib
from pathlib import PurePath

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation_site.raters.pace import measured_seconds, seconds_an_answer
from annotation_site.rating.assignment import database_now
from annotation_site.research import steps
from annotation_site.research.forecast import forecast, image_time
from annotation_site.research.home import images_of
from annotation_site.research.pages import address, page, require_creator
from annotation_site.stimuli import files
from annotation_site.studies.models import StudyOrder
from annotation_site.studies.orders import EDITABLE

LONGEST_NAME = 100


class PresetForm(forms.Form):
    preset = forms.ChoiceField(
        label=gettext_lazy("Preset"),
        choices=StudyOrder.Preset.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what the study asks.")},
    )


@page("GET", "POST")
def new(request: HttpRequest) -> HttpResponse:
    """Which preset; a draft order is made of it."""
    require_creator(request)
    form = PresetForm(request.POST or None)
    if form.is_valid():
        order = StudyOrder.objects.create(orderer_id=int(request.user.pk or 0), preset=form.cleaned_data["preset"])
        return redirect(_address(order, steps.STEPS[order.preset][0].name))
    context = {"form": form, "imports": address("import-study")}
    return render(request, "research/new.html", context, status=422 if form.errors else 200)


@page("GET", "POST")
def step(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One question. What was typed is kept whether one goes on or back; only going on asks for it to be right."""
    order = _order(request, pk)
    if not order.is_editable:
        return redirect("research-order", pk=pk)
    names = [each.name for each in steps.STEPS[order.preset]]
    if name not in names:
        raise Http404(_("This kind of study has no page “%(name)s”.") % {"name": name})
    at = names.index(name)
    kind = steps.STEPS[order.preset][at]
    if request.method != "POST":
        return _shown(request, order, _with_measures(steps.answered(kind, order)), at)
    form = kind(order, request.POST, request.FILES)
    valid = form.is_valid()
    if not _keep(order, form, request.FILES.get("file") if not form.errors.get("file") else None):
        return redirect("research-order", pk=pk)
    if "back" in request.POST:
        return redirect(_address(order, names[at - 1]) if at else "research-home")
    if not valid:
        return _shown(request, order, form, at, status=422)
    return redirect(
        _address(order, names[at + 1] if at + 1 < len(names) and "review" not in request.POST else "review")
    )


def _keep(order: StudyOrder, form: steps.Step, file: UploadedFile | None) -> bool:
    """Store the page's answers; False where the order was placed meanwhile, in another tab say."""
    stored = _store(file) if file is not None else {}
    return order.answer(form.name, steps.typed(type(form), form.data), **stored)


def _store(file: UploadedFile) -> dict[str, str]:
    """The captions under the hash of what is in them, and the name that they came by."""
    content = file.read()
    name = PurePath(str(file.name)).name
    suffix = PurePath(name).suffix.lower()
    stored = f"captions/{hashlib.sha256(content).hexdigest()}{suffix}"
    files.write(stored, content)
    return {"captions_name": PurePath(name).stem[: LONGEST_NAME - len(suffix)] + suffix, "captions_file": stored}


def _with_measures(form: steps.Step) -> steps.Step:
    """The time of an answer as it was measured here, where it was."""
    if isinstance(form, steps.PayStep):
        kind = steps.KINDS[StudyOrder.Preset(form.order.preset)]
        seconds = form.fields["seconds"].initial = seconds_an_answer(kind)
        form.fields["seconds"].help_text = (
            _("Measured here: %(seconds)s, the median of the last answers to such questions.") % {"seconds": seconds}
            if measured_seconds(kind)
            else _("Nobody has answered such questions here yet; this is a guess.")
        )
    return form


def _shown(request: HttpRequest, order: StudyOrder, form: steps.Step, at: int, status: int = 200) -> HttpResponse:
    context = {"order": order, "form": form, "number": at + 1, "total": len(steps.STEPS[order.preset])}
    return render(request, "research/step.html", context, status=status)


@page("GET", "POST")
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """All answers with what they will take; POST orders the study."""
    order = _order(request, pk)
    if not order.is_editable:
        return redirect("research-order", pk=pk)
    forms_ = steps.whole(order)
    wrong = next((form for form in forms_ if not form.is_valid()), None)
    if wrong is not None:
        return redirect(_address(order, wrong.name))
    chosen = steps.choices_of(forms_)
    if request.method == "POST":
        if not order.place(chosen, database_now()):
            messages.info(request, _("The study was ordered already."))
        return redirect("research-order", pk=pk)
    context = {"order": order, "forms": forms_, "forecast": forecast(order.preset, chosen, image_time(chosen))}
    return render(request, "research/review.html", context)


@page("GET")
def order(request: HttpRequest, pk: int) -> HttpResponse:
    """Where an order stands. It can be left: a worker goes on without anybody looking."""
    found = _order(request, pk)
    if found.state == StudyOrder.State.DRAFT:
        return redirect("research-review", pk=pk)
    going = found.state in {StudyOrder.State.QUEUED, StudyOrder.State.BUILDING}
    images = images_of([found.study])[found.study.pk] if found.study else None
    context = {"order": found, "images": images, "refresh": 5 if going or (images and images.waiting) else 0}
    return render(request, "research/order.html", context)


@page("POST")
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete an order that no worker has taken."""
    _order(request, pk)
    gone, _each = StudyOrder.objects.filter(
        pk=pk, orderer=request.user.pk, state__in=[*EDITABLE, StudyOrder.State.QUEUED]
    ).delete()
    said = _("The order is discarded.") if gone else _("A worker has the order already: nothing was discarded.")
    messages.info(request, said)
    return redirect("research-home")


def _order(request: HttpRequest, pk: int) -> StudyOrder:
    return get_object_or_404(StudyOrder.objects.of(request.user).select_related("study"), pk=pk)


def _address(order: StudyOrder, name: str) -> str:
    return address("research-review", order.pk) if name == "review" else address("research-step", order.pk, name)
