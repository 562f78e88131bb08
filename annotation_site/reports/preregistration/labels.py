"""What is registered, in words: a name for each setting, for pages and for the text that goes with a registration."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from annotation_site.reports.rule_text import rule_text

Label = str | Promise
LABELS: dict[tuple[str, str], Label] = {
    ("study", "title"): _("Title"),
    ("study", "slug"): _("Name in addresses"),
    ("study", "kind"): _("Kind of study"),
    ("study", "stimuli_access"): _("Who can see its images"),
    ("wording", "question"): _("The question"),
    ("wording", "answers"): _("The answers"),
    ("wording", "instructions"): _("The instructions"),
    ("consent", "text"): _("The consent"),
    ("about", "ethics_board"): _("Ethics board"),
    ("about", "ethics_number"): _("Number of its approval"),
    ("about", "expected_minutes"): _("Minutes that raters are told"),
    ("about", "data_kept"): _("How long answers are kept"),
    ("about", "listed"): _("Listed on the home page"),
    ("way", "first_view"): _("How maps are first shown"),
    ("way", "colours"): _("Colours of the maps"),
    ("way", "instructions_shown"): _("Instructions are shown"),
    ("way", "practice_pass_mark"): _("Practice: percent to pass"),
    ("way", "practice_attempts"): _("Practice: attempts"),
    ("way", "break_every"): _("Answers between breaks"),
    ("way", "check_every"): _("Answers between checks"),
    ("way", "checks_may_fail"): _("Checks that may fail"),
    ("way", "check_consequence"): _("What follows from failed checks"),
    ("assignment", "seats_per_item"): _("Raters of each item"),
    ("assignment", "cap_share"): _("Largest share of one rater"),
    ("assignment", "cap"): _("Most answers of one rater"),
    ("assignment", "lease_minutes"): _("Minutes that an item is kept for a rater"),
    ("assignment", "adaptive_stages"): _("Raters of items that divide them"),
    ("assignment", "adaptive_spread"): _("How far apart ratings disagree"),
    ("exclusions", "rules"): _("Exclusion rules"),
    ("analysis", "confidence"): _("Level of the intervals"),
    ("analysis", "resamples"): _("Resamples of the bootstraps"),
    ("analysis", "seed"): _("Seed of the bootstraps"),
    ("analysis", "quick_seconds"): _("Seconds below which an answer is quick"),
    ("analysis", "methods"): _("Methods of the report"),
    ("analysis", "fair_from"): _("Rating from which a map is fair"),
    ("analysis", "interpretable_minimum"): _("Scored pairs that make a tag interpretable"),
    ("analysis", "comparison_resamples"): _("Resamples of comparisons"),
    ("analysis", "comparison_permutations"): _("Permutations of comparisons"),
    ("pay", "scheme"): _("Pay"),
    ("sample", "items"): _("Items"),
    ("sample", "groups"): _("Items by group"),
    ("sample", "arms"): _("Items by arm"),
    ("sample", "judgements"): _("Answers wanted"),
    ("sample", "most_judgements"): _("Answers at most"),
}
SECTIONS: dict[str, Label] = {
    "recruiting": _("Source of raters: %(name)s"),
    "sampling": _("How items were drawn: %(name)s"),
    "software": _("Version of %(name)s"),
}
FIELDS: dict[str, Label] = {
    "purpose": _("purpose"),
    "prompt": _("prompt"),
    "prompt_source": _("source of the prompt"),
    "prompt_id": _("id of the prompt"),
    "parser": _("parser"),
    "word": _("word"),
    "word_index": _("place of the word"),
    "tag": _("tag"),
    "condition": _("condition"),
    "swap_set": _("swap set"),
    "arm": _("arm"),
    "map_source": _("source of the map"),
    "map_word_index": _("word of the map"),
    "map_sha256": _("file of the map"),
    "recipe": _("recipe"),
    "seed": _("seed"),
    "image_sha256": _("image"),
    "maps_sha256": _("maps"),
    "origin": _("origin of the image"),
    "second_prompt": _("second prompt"),
    "second_word": _("second word"),
    "second_word_index": _("place of the second word"),
    "second_recipe": _("second recipe"),
    "second_seed": _("second seed"),
    "second_image_sha256": _("second image"),
    "known": _("known answer"),
    "withdrawn": _("withdrawn"),
}


def label(section: str, name: str) -> str:
    """The words for a setting; its own name where it has none."""
    if section in SECTIONS:
        return str(SECTIONS[section]) % {"name": name}
    return str(LABELS.get((section, name), f"{section}: {name}"))


def said(section: str, value: Any) -> str:
    """A setting's value on one line; exclusion rules as sentences."""
    return " ".join(map(rule_text, value)) or "-" if section == "exclusions" and value is not None else shown(value)


def shown(value: Any) -> str:
    """A registered value on one line; a dash for what is not there."""
    if value is None or value == "" or value == [] or value == {}:
        return "-"
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, dict):
        return "; ".join(f"{name}: {shown(part)}" for name, part in sorted(value.items()))
    if isinstance(value, list):
        parts = [shown(part) for part in value]
        # Paragraphs follow each other as they are; of anything else a comma makes a list.
        return (" " if all(part.endswith((".", "?", "!")) for part in parts) else ", ").join(parts)
    return " ".join(str(value).split())
