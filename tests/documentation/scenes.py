"""What has to be there before a page's commands are run: the files that the reader brings, a study in the database."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
from django.utils import timezone

from annotation_site.raters.models import Enrolment, Rater
from annotation_site.raters.sources.presets import new_source
from annotation_site.rating.simulation import simulate
from annotation_site.recruitment.models import Action, ProlificStudy, Submission
from annotation_site.studies.models import Item, Study
from attribution.presets import FIXTURES
from attribution.tinyworld import captions
from tests.annotation_site.recruitment.fake_prolific import FakeProlific
from tests.attribution.wordnets import write_wordnet
from tests.documentation.pages import blocks

MakeStudy = Callable[..., Study]
RULES = [{"name": "at odds", "least_answers": 2, "all": [{"measure": "correlation", "below": 0.1}]}]


class Scene:
    """Each method puts something there; the folder is the current one. ``fill`` is what the stand-ins name."""

    def __init__(self, make_study: MakeStudy, prolific: FakeProlific) -> None:
        self._make_study, self._prolific = make_study, prolific
        self.fill: dict[str, Callable[[], object]] = {
            "pseudonym": lambda: Rater.objects.latest("pk").pseudonym,
            "treebank": lambda: "test.conllu",
            "ours": own_maps,
            "bonus": lambda: Action.objects.get().key,
        }

    def coco(self) -> None:
        rows = [{"id": n, "image_id": n, "caption": each.text} for n, each in enumerate(captions(200, seed=0))]
        Path("captions_val2017.json").write_text(json.dumps({"annotations": rows}))

    def model(self) -> None:
        Path("models").mkdir()
        Path("models/sd2-base").symlink_to(FIXTURES / "tinyworld")

    def study(self) -> None:
        """An opened study, answered by people as the simulation answers."""
        study = self._make_study(items=6, slug="paper", exclusion_rules=RULES)
        simulate(study, raters=3, seed=0)
        Rater.objects.update(simulated=False)

    def draft(self) -> None:
        self._make_study(items=6, slug="paper", opened=False)

    def rater(self) -> None:
        Rater.objects.create()

    def texts(self) -> None:
        Path("hypotheses.txt").write_text("Maps of nouns fit better than those of articles.")
        Path("prompts.txt").write_text("a red star\ntwo green fish\n")
        Path("nouns.txt").write_text("saw\naxe\n")
        Path("dict").mkdir()
        write_wordnet(Path("dict"))

    def treebank(self) -> None:
        rows = [("The", "DET", 2, "det"), ("dog", "NOUN", 3, "nsubj"), ("runs", "VERB", 0, "root")]
        lines = [f"{n}\t{w}\t{w}\t{t}\t_\t_\t{h}\t{r}\t_\t_" for n, (w, t, h, r) in enumerate(rows, start=1)]
        Path("test.conllu").write_text("# text = The dog runs\n" + "\n".join(lines) + "\n\n")

    def imported(self) -> None:
        """The files that the page's own program makes."""
        program = next(block for block in blocks("docs/importing.md") if block.language == "python")
        exec(compile(program.text, program.page, "exec"), {})  # noqa: S102 - our own page

    def volume(self) -> None:
        Path("data").mkdir()

    def recruiting(self) -> None:
        """A study that is to be made at Prolific, and a bonus to somebody of whose paying nobody knows."""
        study = self._make_study(items=2, slug="paper")
        source = new_source(study, "prolific", "prolific")
        source.save()
        about = {"name": "A study", "description": "Look at pictures.", "reward": 200, "places": 10, "minutes": 10}
        at_prolific = ProlificStudy.objects.create(source=source, **about)
        self._prolific.add("SUB1", participant="PID1")
        then = timezone.now() - timedelta(days=2)
        enrolment = Enrolment.objects.create(rater=Rater.objects.create(), study=study, source="prolific")
        submission = Submission.objects.create(
            prolific_study=at_prolific,
            enrolment=enrolment,
            submission_id="SUB1",
            status="AWAITING REVIEW",
            status_at=then,
        )
        Action.objects.create(
            submission=submission, kind="bonus", key=str(uuid.uuid4()), amount=125, state="unclear", bonuses_before=[],
            made_at=then, sent_at=then,
        )  # fmt: skip


def own_maps() -> str:
    """Maps of another method for every word that the study of methods asks about."""
    folder = Path("ours")
    folder.mkdir(exist_ok=True)
    for item in Item.objects.filter(study__slug="methods").select_related("generation", "word"):
        name = f"{item.generation.identity}-{item.word.start}-{item.word.end}.npy"
        np.save(folder / name, np.ones((8, 8), dtype=np.float32))
    return str(folder)


SCENES: dict[str, tuple[Callable[[Scene], None], ...]] = {
    "README.md": (Scene.coco, Scene.model),
    "docs/analyses.md": (Scene.coco, Scene.study, Scene.texts),
    "docs/designing-a-study.md": (Scene.coco,),
    "docs/exporting-for-a-paper.md": (Scene.coco, Scene.study),
    "docs/generating.md": (Scene.model, Scene.texts),
    "docs/importing.md": (Scene.imported,),
    "docs/in-production.md": (Scene.draft, Scene.rater, Scene.imported, Scene.volume),
    "docs/language.md": (Scene.treebank,),
    "docs/on-a-gpu.md": (Scene.coco, Scene.model),
    "docs/preregistering.md": (Scene.draft, Scene.texts),
    "docs/reading-a-report.md": (Scene.study,),
    "docs/recruiting.md": (Scene.recruiting,),
}
