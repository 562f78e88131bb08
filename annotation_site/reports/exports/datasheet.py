"""Data statement and datasheet: what the study's rows tell is filled in, the rest is marked for the researchers."""

from __future__ import annotations

from typing import Any

from annotation_site.reports.exports.counts import Tally

OPEN = "*To be filled in by the researchers:* "
NO_URL = (
    OPEN + "the page where the data is published. `croissant.json` has no `url` yet, which the specification asks for: "
    "export again with `--url https://...`, or add it by hand."
)
Part = tuple[str, list[str]]


def data_statement(facts: dict[str, Any], tally: Tally, description: str, *, url: str) -> str:
    """Headings as in Bender and Friedman (2018)."""
    sources = ", ".join(sorted(tally.sources)) or "unknown"
    parsers = ", ".join(sorted(tally.parsers - {""})) or "none recorded"
    groups = ", ".join(f"{name or 'none'} {number}" for name, number in sorted(tally.groups.items()))
    return _document(
        "Data statement",
        [
            ("Short statement", [description]),
            ("Curation rationale", [
                f"Items come from {sources}, by group: {groups}. {_sampling(facts)}",
                OPEN + "why these prompts, words and models.",
            ]),
            ("Language variety", [
                f"Prompts are English (en), parsed by {parsers}. Raters' pages, by counted answers: {_locales(tally)}.",
                OPEN + "the variety of English of the prompts' writers.",
            ]),
            ("Speaker demographic", [OPEN + "who wrote the prompts; for captions of COCO, its own documentation."]),
            ("Annotator demographic", [
                f"{_counting(tally)} raters gave the counted answers. No personal attribute is stored with an answer.",
                OPEN + "how raters were recruited, their languages, training and pay.",
            ]),
            ("Speech situation", ["Captions written for images, out of any conversation."]),
            ("Text characteristics", ["Single-sentence captions; one target word, or two nouns, an item."]),
            ("Recording quality", ["Not applicable: no recorded speech."]),
            ("Other", [_pictures(facts), f"Published at <{url}>." if url else NO_URL]),
            ("Provenance appendix", [OPEN + "data statements of the prompts' source, where there are any."]),
        ],
    )  # fmt: skip


def datasheet(facts: dict[str, Any], tally: Tally, description: str, *, licence: str) -> str:
    """Sections as in Gebru et al. (2021)."""
    fates = ", ".join(f"{number} {fate}" for fate, number in sorted(tally.fates.items())) or "none"
    moments = facts["moments"]
    return _document(
        "Datasheet",
        [
            ("Motivation", [OPEN + "purpose, authors and funding."]),
            ("Composition", [
                description,
                f"Judgements by fate: {fates}. Withdrawn items: {tally.withdrawn}.",
                "An instance of `judgements` is one answer of one rater to one item; of `items` one word (or two nouns)"
                " in one generated image. Nothing is split into training and test parts.",
                "Raters are pseudonyms. Times of answers are exact to the microsecond: coarsen them before publishing "
                "where they could tell who a rater was.",
                "Generated images may be wrong, odd or unpleasant; nobody has looked at all of them beforehand.",
            ]),
            ("Collection process", [
                f"Collected in a browser with Attest from {moments['opened_at'] or 'an opening yet to come'} to "
                f"{moments['closed_at'] or 'a close yet to come'}; {facts['facts']['raters_an_item']} different raters"
                f" an item, none with more than {facts['rules']['largest_share_of_a_rater']:.0%} of the places.",
                f"Consent, version {facts['rules']['consent_version']}, was asked of every rater before the first item"
                " (see INSTRUCTIONS.md).",
                _sampling(facts),
                OPEN + "ethical review, recruitment and compensation.",
            ]),
            ("Preprocessing, cleaning, labelling", [
                "Raw answers are kept, corrected and excluded ones too (`fate`). Scores in `items` follow from the "
                "counted answers: a pair is dropped when any rater calls its word too abstract, and is otherwise scored"
                " by the median once all places are answered.",
                _pictures(facts),
            ]),
            ("Uses", [
                "Made to measure how well heat maps explain generated images, and how far raters agree.",
                OPEN + "uses so far, and what the data should not be used for.",
            ]),
            ("Distribution", [
                f"Licence of the judgements: {licence}." if licence else OPEN + "the licence of the judgements.",
                OPEN + "licences of the prompts and of the model's outputs; where the data is published.",
            ]),
            ("Maintenance", [OPEN + "who keeps it, and how errors are reported."]),
        ],
    )  # fmt: skip


def _document(title: str, parts: list[Part]) -> str:
    lines = [f"# {title}", ""]
    for heading, paragraphs in parts:
        lines += [f"## {heading}", "", *(line for paragraph in paragraphs for line in (paragraph, "") if paragraph)]
    return "\n".join(lines)


def _sampling(facts: dict[str, Any]) -> str:
    """How the items were drawn, as far as the study says."""
    plain = {name: value for name, value in facts["sampling"].items() if not isinstance(value, list | dict)}
    return "Drawn by: " + ", ".join(f"{name} {value}" for name, value in plain.items()) + "." if plain else ""


def _pictures(facts: dict[str, Any]) -> str:
    said = [
        f"{recipe['model_title'] or recipe['model']} (imported: not drawn by Attest), {recipe['height']} x "
        f"{recipe['width']} pixels"
        if recipe["imported"]
        else f"{recipe['model_title'] or recipe['model']}"
        f"{' at revision ' if recipe['revision'] else ''}{recipe['revision']}, {recipe['steps']} steps, guidance "
        f"{recipe['guidance']:g}, {recipe['height']} x {recipe['width']} pixels"
        f"{'' if recipe['trained'] else ' (random weights)'}"
        for recipe in facts["recipes"]
    ]
    return f"Images by {'; '.join(said)}." if said else "No images."


def _locales(tally: Tally) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(tally.locales.items())) or "none yet"


def _counting(tally: Tally) -> int:
    return sum(number > 0 for number in tally.counted.values())
