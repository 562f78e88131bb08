"""Swap sets: prompts that differ in one adjective, drawn from one seed, each as it is or by the first one's attention.

A set is written as ``a {rusty, metallic, wooden} shovel sitting in a clean shed``. The noun is the word after the
choices, or the one in brackets: ``a {small, big} yellow [fish]``. Each image gets a folder as the ``maps`` command
gives it, and a ``swap.json`` that says where the adjective and its noun stand, and which image of the set came first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from attribution.errors import AnalysisError, GenerationError

SWAP: Final = "swap.json"
_CHOICES: Final = re.compile(r"\{([^{}]*)\}")
#: What stands in brackets, or else the word right after the choices.
_NOUN: Final = re.compile(r"\[(?P<marked>[^][]+)\]|(?<=\} )(?P<next>\w+)(?!.*\[)")


@dataclass(frozen=True, slots=True)
class SwapPrompt:
    """One prompt of a set, with the offsets of its adjective and of the noun."""

    text: str
    adjective: tuple[int, int]
    noun: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Swap:
    """What ``swap.json`` says: the set's template, the folder of its first image beside this one's, where the two words
    stand, and whether the image was drawn by the first one's attention."""

    template: str
    first: str
    adjective: tuple[int, int]
    noun: tuple[int, int]
    replayed: bool


def swap_prompts(template: str) -> list[SwapPrompt]:
    """The prompts of a set in the order of its choices.

    Raises AnalysisError for a template without exactly one ``{...}`` of two choices or more with a noun behind it.
    """
    found = list(_CHOICES.finditer(template))
    choices = [choice.strip() for choice in found[0][1].split(",")] if len(found) == 1 else []
    nouns = list(_NOUN.finditer(template, found[0].end())) if found else []
    if len(choices) < 2 or not all(choices) or len(nouns) != 1:
        raise AnalysisError(
            f"{template!r} is no swap set: write the adjectives once as {{rusty, metallic, wooden}} before their noun, "
            "and where other words stand between, the noun as [shovel]"
        )
    before, between = template[: found[0].start()], template[found[0].end() : nouns[0].start()]
    noun, after = nouns[0]["marked"] or nouns[0]["next"], template[nouns[0].end() :]
    prompts = []
    for choice in choices:
        end = len(before) + len(choice)
        start = end + len(between)
        text = before + choice + between + noun + after
        prompts.append(SwapPrompt(text, (len(before), end), (start, start + len(noun))))
    return prompts


def draw_swaps(
    pipeline: Any,
    templates: Sequence[str],
    seeds: Sequence[int],
    out: Path,
    *,
    replay: bool,
    **call: Any,
) -> Iterator[Path]:
    """Draw each set from each seed, into folders below ``out``, which it yields; ``call`` goes to the pipeline.

    With ``replay``, all images but the first are drawn by its cross-attention: only what the words mean changes.
    Images that are there already are left alone, a set that is not whole is drawn anew.
    """
    for number, template in enumerate(templates):
        prompts = swap_prompts(template)
        for seed in seeds:
            folders = [out / f"{number:03}-{seed}" / str(at) for at in range(len(prompts))]
            if not all((folder / SWAP).is_file() for folder in folders):
                drawn = _drawn(pipeline, prompts, seed, replay, call)
                for at, (one, (image, maps)) in enumerate(zip(prompts, drawn, strict=True)):
                    _write(folders[at], image, maps, Swap(template, "0", one.adjective, one.noun, replay and at > 0))
            yield from folders


def read_swap(folder: Path) -> Swap:
    """The ``swap.json`` of a generation; raises GenerationError where it is missing or malformed."""
    path = folder / SWAP
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        places = [(int(start), int(end)) for start, end in (found["adjective"], found["noun"])]
        return Swap(str(found["template"]), str(found["first"]), places[0], places[1], bool(found["replayed"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GenerationError(f"{path} is no swap of ours: {type(error).__name__}: {error}") from error


def _drawn(
    pipeline: Any, prompts: Sequence[SwapPrompt], seed: int, replay: bool, call: dict[str, Any]
) -> Iterator[tuple[Any, Any]]:
    """Image and maps of each prompt."""
    import torch

    import attribution

    with attribution.Recording() as recording:
        for at, one in enumerate(prompts):
            record, replayed = (recording if replay and at == 0 else None), (recording if replay and at else None)
            with attribution.trace(pipeline, record=record, replay=replayed) as tracer:
                image = pipeline(one.text, generator=torch.Generator().manual_seed(seed), **call).images[0]
            yield image, tracer.heat_maps()[0]


def _write(folder: Path, image: Any, maps: Any, swap: Swap) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    image.save(folder / "image.png")
    maps.without_padding().save(folder / "maps")
    (folder / SWAP).write_text(json.dumps(asdict(swap)), encoding="utf-8")
