"""What the import page asks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from annotation_site.studies.importing.bundles import LARGEST_MANIFEST, Archive, Bundle, BundleError, Files
from annotation_site.studies.importing.making import KINDS, Wanted
from annotation_site.studies.models import Study


class SeveralFiles(forms.FileField):
    """One file or many."""

    def __init__(self, **how: Any) -> None:
        several = type("Input", (forms.ClearableFileInput,), {"allow_multiple_selected": True})
        super().__init__(widget=several(attrs={"multiple": True}), **how)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = [super(SeveralFiles, self).clean(each, initial) for each in data or [None]]
        names = [file.name for file in files]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValidationError(_("Two files are called %(name)s: rename one.") % {"name": ", ".join(sorted(twice))})
        return files


class ImportForm(forms.Form):
    """A zip, or a manifest with its files; and the study that they become."""

    sent = SeveralFiles(
        label=_("Manifest and files"),
        help_text=_("One .zip, or one .jsonl with the images and maps that it names."),
        error_messages={"required": _("Choose a .zip, or a .jsonl with its files."), "empty": _("A file is empty.")},
    )
    slug = forms.SlugField(
        label=_("Study"),
        help_text=_("Its place in addresses, such as night-scenes; that of a draft of yours adds to it."),
    )
    title = forms.CharField(label=_("Title"), max_length=200, required=False, help_text=_("Of a new study."))
    kind = forms.ChoiceField(
        label=_("Question"),
        choices=[(kind.value, kind.label) for kind in KINDS],
        initial=KINDS[0],
        widget=forms.RadioSelect,
    )
    skip_refused = forms.BooleanField(label=_("Import the good lines even if others are refused"), required=False)

    def __init__(self, *args: Any, user: Any, **how: Any) -> None:
        super().__init__(*args, **how)
        self._user = user

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        taken = Study.objects.filter(slug=slug)
        if taken.exists() and not Study.objects.run_by(self._user).filter(slug=slug).exists():
            raise ValidationError(_("A study that is not yours has this address already: choose another."))
        return slug

    def wanted(self) -> Wanted:
        return Wanted(*(self.cleaned_data[name] for name in ("slug", "kind", "title")))

    def opened(self) -> tuple[str, bytes, Bundle]:
        """The manifest's name and content, and the bundle of what it names. Raises BundleError."""
        files = {str(file.name): file for file in self.cleaned_data["sent"]}
        if len(files) == 1 and next(iter(files)).lower().endswith(".zip"):
            name, file = next(iter(files.items()))
            archive = Archive(file)
            return name, archive.text(), archive
        manifests = [name for name in files if name.lower().endswith(".jsonl")]
        if len(manifests) != 1:
            raise BundleError(
                _("%(number)d of the files end with .jsonl: send one manifest with its files, or one zip of them")
                % {"number": len(manifests)}
            )
        manifest = files.pop(manifests[0])
        if (manifest.size or 0) > LARGEST_MANIFEST:
            raise BundleError(f"the manifest is larger than {LARGEST_MANIFEST >> 20} MiB: split it")
        return manifests[0], manifest.read(), Files(files)
