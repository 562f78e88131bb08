"""Making a study's rows: prompts, words, queued generations and items, in one transaction."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from django.db import transaction

from annotation_site.stimuli.models import Generation, Prompt, Recipe, Word
from annotation_site.studies.arms import SOURCES, check_arms, other_word, rotated
from annotation_site.studies.drawing_order import carry_to_queue
from annotation_site.studies.models import Item, Study
from attribution import records


class Stratified(Protocol):
    """What can be interleaved."""

    @property
    def stratum(self) -> str: ...


S = TypeVar("S", bound=Stratified)


class StudyExists(Exception):
    """A study of that slug is there already."""


@dataclass(frozen=True)
class Stimulus:
    """An item to be: a prompt and its target word's index; in presence studies the second noun's, and a condition.

    In studies of what changed, ``second_prompt`` has the second word, ``swap_set`` names the set, and both prompts are
    drawn from ``image_seed``.
    """

    prompt: records.Prompt
    word: int
    second_word: int | None = None
    condition: str = ""
    second_prompt: records.Prompt | None = None
    swap_set: str = ""
    image_seed: int | None = None

    @property
    def stratum(self) -> str:
        """What items are interleaved by: the condition, the swap set, or the target word's tag."""
        return self.condition or self.swap_set or self.prompt.words[self.word].tag


@transaction.atomic
def build_study(
    *,
    slug: str,
    title: str,
    kind: str,
    stimuli: Sequence[Stimulus],
    recipe: Recipe,
    seed: int,
    source: str,
    parser: str = "",
    arms: Sequence[str] = (),
    then: Callable[[Study], object] = lambda study: None,
    **settings: Any,
) -> Study:
    """A draft study with one queued generation, of a seed of its own, for each stimulus.

    The order of items and the images' seeds follow from ``seed`` alone. ``arms`` show each word with several maps
    (see ``studies.arms``). ``then`` is called with the study in the same transaction. ``settings`` are further
    fields of Study. Raises ArmError, and StudyExists when the slug is taken.
    """
    refuse_taken(slug)
    check_arms(arms)
    study = Study(slug=slug, title=title, kind=kind, **settings)
    study.full_clean()
    study.save()
    rng = random.Random(seed)  # noqa: S311 - a reproducible draw, nothing secret
    ordered = interleave(stimuli, rng)
    seconds = [stimulus.second_prompt for stimulus in ordered if stimulus.second_prompt]
    prompts = _prompts([*(stimulus.prompt for stimulus in ordered), *seconds], source=source, parser=parser)
    drawn = rng.sample(range(2**31), len(ordered))
    seeds = [seed if s.image_seed is None else s.image_seed for s, seed in zip(ordered, drawn, strict=True)]
    wanted = [_generation(prompts, s.prompt, recipe, image_seed) for s, image_seed in zip(ordered, seeds, strict=True)]
    others = [
        _generation(prompts, s.second_prompt, recipe, image_seed) if s.second_prompt else None
        for s, image_seed in zip(ordered, seeds, strict=True)
    ]
    # The same prompt, recipe and seed may have been asked for by another study: its image serves both.
    every = {each.identity: each for each in [*wanted, *others] if each}
    Generation.objects.bulk_create(every.values(), ignore_conflicts=True, batch_size=500)
    pairs = [(one.identity, two.identity if two else "") for one, two in zip(wanted, others, strict=True)]
    _items(study, list(zip(ordered, pairs, strict=True)), prompts, arms, rng)
    carry_to_queue(study)
    then(study)
    return study


def refuse_taken(slug: str) -> None:
    """Raise StudyExists when there is a study of that slug."""
    if Study.objects.filter(slug=slug).exists():
        raise StudyExists(f"There is a study {slug!r} already: choose another slug, or delete that one in the admin.")


def interleave(stimuli: Iterable[S], rng: random.Random) -> list[S]:
    """Shuffled, with the strata spread evenly: any stretch of the order holds them in the study's proportions."""
    groups: dict[str, list[S]] = {}
    for stimulus in stimuli:
        groups.setdefault(stimulus.stratum, []).append(stimulus)
    placed = []
    for stratum in sorted(groups):
        members = groups[stratum]
        rng.shuffle(members)
        offset = rng.random()
        placed += [((place + offset) / len(members), stimulus) for place, stimulus in enumerate(members)]
    return [stimulus for _, stimulus in sorted(placed, key=lambda pair: pair[0])]


def _generation(prompts: dict[records.Prompt, Prompt], prompt: records.Prompt, recipe: Recipe, seed: int) -> Generation:
    identity = records.Generation(prompt=prompt.text, recipe=recipe.record(), seed=seed).identity
    return Generation(prompt=prompts[prompt], recipe=recipe, seed=seed, identity=identity)


def _prompts(wanted: Sequence[records.Prompt], *, source: str, parser: str) -> dict[records.Prompt, Prompt]:
    """Rows of the prompts, with their words; those of an earlier study are used again."""
    rows: dict[records.Prompt, Prompt] = {}
    for record in dict.fromkeys(wanted):
        row, new = Prompt.objects.get_or_create(
            text=record.text, source=source, source_id=record.source_id, parser=parser
        )
        if new:
            Word.objects.bulk_create(_word(row, index, word) for index, word in enumerate(record.words))
        rows[record] = row
    return rows


def _word(prompt: Prompt, index: int, word: records.Word) -> Word:
    names = ("text", "start", "end", "tag", "lemma", "head", "relation")
    return Word(prompt=prompt, index=index, **{name: getattr(word, name) for name in names})


def _items(
    study: Study,
    stimuli: list[tuple[Stimulus, tuple[str, str]]],
    prompts: dict[records.Prompt, Prompt],
    arms: Sequence[str],
    rng: random.Random,
) -> None:
    identities = sorted({identity for _, pair in stimuli for identity in pair if identity})
    generations = {
        row.identity: row
        for start in range(0, len(identities), 500)
        for row in Generation.objects.filter(identity__in=identities[start : start + 500])
    }
    words: dict[int, dict[int, Word]] = {}
    for word in _words_of(list(prompts.values())):
        words.setdefault(word.prompt_id, {})[word.index] = word
    made = []
    for position, ((stimulus, (identity, other)), arm) in enumerate(rotated(stimuli, arms)):
        own = words[prompts[stimulus.prompt].pk]
        others = words[prompts[stimulus.second_prompt or stimulus.prompt].pk]
        item = Item(
            study=study,
            generation=generations[identity],
            word=own[stimulus.word],
            second_word=None if stimulus.second_word is None else others[stimulus.second_word],
            second_generation=generations.get(other),
            swap_set=stimulus.swap_set,
            condition=stimulus.condition,
            position=position,
            arm=arm,
            map_source=SOURCES.get(arm, Item.MapSource.OWN),
        )
        if item.map_source == Item.MapSource.OTHER_WORD:
            item.map_word = other_word(own.values(), item.word, rng)
        made.append(item)
    Item.objects.bulk_create(made, batch_size=500)


def _words_of(prompts: list[Prompt]) -> Iterable[Word]:
    for start in range(0, len(prompts), 500):
        yield from Word.objects.filter(prompt__in=prompts[start : start + 500])
