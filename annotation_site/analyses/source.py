"""A study's generations as the library's analyses read them: words from rows, images and maps from the storage."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from django.db.models import Q, QuerySet
from PIL import Image

from annotation_site.stimuli import files
from annotation_site.stimuli.models import Generation
from annotation_site.stimuli.stored_maps import heat_maps
from annotation_site.studies.models import Item, Study
from attribution.errors import GenerationError, MapFileError
from attribution.generations import Reader, StoredGeneration
from attribution.maps import HeatMaps
from attribution.records import Prompt, Word
from attribution.swaps import Swap, swap_prompts

FIELDS = ("text", "start", "end", "tag", "lemma", "head", "relation")


@dataclass(frozen=True)
class StudyGeneration(StoredGeneration):
    """A generation whose image lies in the site's storage, under ``picture``."""

    picture: str = ""
    study: Study | None = None

    def swap(self) -> Swap:
        """From the study's own swap sets, whose images share a seed; no image of a study is drawn by replay."""
        templates = self.study.sampling.get("swap_sets", []) if self.study else []
        for template in templates:
            for one in swap_prompts(template):
                if one.text == self.prompt.text:
                    return Swap(template, self._first(), one.adjective, one.noun, replayed=False)
        raise GenerationError(
            f"{self.prompt.text!r} is in no swap set of this study: `manage.py change_study` makes one"
        )

    def _first(self) -> str:
        """The image that its items compare it with; its own name where it is the first itself."""
        compared = Item.objects.filter(study=self.study, second_generation__identity=self.name).in_use()
        return compared.values_list("generation__identity", flat=True).first() or self.name

    def image(self) -> Image.Image:
        try:
            with Image.open(io.BytesIO(files.read(self.picture))) as image:
                return image.convert("RGB")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise GenerationError(f"{self.picture} cannot be read as an image: {error}") from error


class StudyReader(Reader):
    """Reads a study's finished generations, named by their identities, one at a time."""

    def __init__(self, study: Study) -> None:
        super().__init__(Path(study.slug), parser="the site's rows")
        self.study = study

    def names(self) -> Iterator[str]:
        return finished(self.study).order_by("pk").values_list("identity", flat=True).iterator()

    def read(self, name: str) -> StoredGeneration:
        generation = Generation.objects.filter(identity=name).select_related("prompt").first()
        if generation is None or not generation.is_done:
            raise GenerationError(f"{name} is no finished generation")
        picture = str(generation.image.name)
        folder = Path(PurePosixPath(picture).parent)
        return StudyGeneration(name, folder, _maps(generation), self._prompt(generation), picture, self.study)

    def _prompt(self, generation: Generation) -> Prompt:
        rows = list(generation.prompt.words.order_by("index").values_list(*FIELDS))
        if not rows:
            raise GenerationError(f"{generation.prompt.text!r} has no words in the database: it was not parsed")
        return Prompt(generation.prompt.text, tuple(Word(*row) for row in rows))


def finished(study: Study) -> QuerySet[Generation]:
    """The finished generations of a study's items in use, with those that an item compares its first one with."""
    items = Item.objects.filter(study=study).in_use()
    second = items.filter(second_generation__isnull=False).values("second_generation")
    done = Generation.objects.filter(state=Generation.State.DONE)
    return done.filter(Q(pk__in=items.values("generation")) | Q(pk__in=second))


def _maps(generation: Generation) -> HeatMaps:
    try:
        return heat_maps(generation)
    except OSError as error:
        raise MapFileError(f"{generation.maps.name} cannot be read: {error}") from error
