"""From an ontology to a draft presence study: prompts of two nouns, half of them cohyponyms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from annotation_site.stimuli.recipes import store_recipe
from annotation_site.studies.building import Stimulus, build_study, refuse_taken
from annotation_site.studies.models import Study
from annotation_site.worker.sampling import INSTRUCTED
from attribution import records
from attribution.ontology import COCO, NounPair, Ontology, noun_pairs, read_ontology

COCO_NAME, TINYWORLD = "coco", "tinyworld"
# No parser reads these prompts: their form is their structure, and a noun of two words ("hot dog") stays one word.
PARSER = "the prompt's own form"


def ontology_of(name: str) -> Ontology:
    """``coco``, ``tinyworld``, or a file as ``python -m attribution ontology`` writes it."""
    if name == COCO_NAME:
        return COCO
    if name == TINYWORLD:
        from attribution.tinyworld.lexicon import GROUPS

        return Ontology({group: tuple(nouns) for group, nouns in GROUPS.items()})
    return read_ontology(Path(name))


def cohyponym_study(
    *,
    slug: str,
    title: str,
    ontology: str,
    prompts: int,
    seeds: int,
    seed: int,
    recipe: records.Recipe,
    **settings: Any,
) -> Study:
    """A draft presence study of ``prompts`` prompts "a(n) X and a(n) Y", each drawn from ``seeds`` seeds.

    Half are cohyponyms; each noun stands as often first, and as often second, in both halves. Raises AnalysisError
    when the ontology cannot be matched so, StudyExists when the slug is taken.
    """
    refuse_taken(slug)
    pairs = noun_pairs(ontology_of(ontology), prompts, seed)
    return build_study(
        slug=slug,
        title=title,
        kind=Study.Kind.PRESENCE,
        stimuli=[_stimulus(pair) for pair in pairs for _ in range(seeds)],
        recipe=store_recipe(recipe),
        seed=seed,
        source=Path(ontology).name,
        parser=PARSER,
        sampling={"source": Path(ontology).name, "prompts": prompts, "seeds": seeds, "seed": seed},
        **{**INSTRUCTED, **settings},
    )


def _stimulus(pair: NounPair) -> Stimulus:
    (first, first_start, first_end), (second, second_start, second_end) = pair.nouns
    middle = pair.text[first_end:second_start].split()
    conjunction, article = (pair.text.index(f" {word} ", first_end - 1) + 1 for word in middle)
    text = pair.text
    words = (
        _word(text, 0, first_start - 1, "DET", 1, "det"),
        records.Word(first, first_start, first_end, "NOUN", first, 1, "root"),
        _word(text, conjunction, conjunction + len(middle[0]), "CCONJ", 4, "cc"),
        _word(text, article, article + len(middle[1]), "DET", 4, "det"),
        records.Word(second, second_start, second_end, "NOUN", second, 1, "conj"),
    )
    return Stimulus(records.Prompt(text, words), 1, second_word=4, condition=pair.condition)


def _word(text: str, start: int, end: int, tag: str, head: int, relation: str) -> records.Word:
    return records.Word(text[start:end], start, end, tag, text[start:end], head, relation)
