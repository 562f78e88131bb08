"""The columns of an export's tables: name, type and meaning, said once for every file that holds or describes them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

TYPES: dict[str, pa.DataType] = {
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "text": pa.string(),
    "time": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class Field:
    """One column; a type of TYPES."""

    name: str
    type: str
    meaning: str


def schema(fields: tuple[Field, ...]) -> pa.Schema:
    """The Arrow schema of a table; every column may be empty."""
    return pa.schema([pa.field(field.name, TYPES[field.type]) for field in fields])


# What was judged; in the table of items, and again in that of judgements, so that it can be read alone.
SUBJECT = (
    Field("item", "int", "number of the item: its place in the study's order, from 0"),
    Field("image", "text", "identity of the image: SHA-256 over prompt, recipe and seed"),
    Field("prompt", "text", "the whole prompt"),
    Field("word", "text", "target word, or the first of the two nouns, as it stands in the prompt"),
    Field("second_word", "text", "the second noun, or the swapped word of the second image; else empty"),
    Field("second_image", "text", "identity of the second image, of what changed between two; else empty"),
    Field("second_prompt", "text", "the second image's prompt; else empty"),
    Field("swap_set", "text", "the adjectives of the two images' swap set and their noun; else empty"),
    Field("tag", "text", "Universal POS tag of the target word"),
    Field("condition", "text", "cohyponyms or non-cohyponyms; empty in studies of heat maps"),
    Field("arm", "text", "the method compared; empty where the study compares none"),
)
RECIPE = (
    Field("seed", "int", "seed of the image"),
    Field("model", "text", "shipped name, folder or hub id of the model"),
    Field("revision", "text", "pinned revision of the model"),
    Field("steps", "int", "inference steps"),
    Field("guidance", "float", "classifier-free guidance scale"),
    Field("height", "int", "pixels"),
    Field("width", "int", "pixels"),
    Field("scheduler", "text", "diffusers class of the scheduler; empty: the model's own"),
    Field("dtype", "text", "type of the model's weights"),
)
COUNTS = (
    Field("answered", "int", "places answered by anybody, counted or not"),
    Field("code_0", "int", "counted answers: 1 bad; or both nouns; or object changed"),
    Field("code_1", "int", "counted answers: 2 poor; or the first noun only; or background changed"),
    Field("code_2", "int", "counted answers: 3 fair; or the second noun only; or both changed"),
    Field("code_3", "int", "counted answers: 4 good; or neither noun; or nothing changed"),
    Field("code_4", "int", "counted answers: 5 excellent; 0 in other studies"),
    Field("too_abstract", "int", "counted answers: word too abstract"),
    Field("too_poor", "int", "counted answers: image too poor"),
    Field("status", "text", "scored, dropped, waiting, image too poor, too few ratings; empty for a withdrawn item"),
    Field(
        "score",
        "float",
        "median of the counted ratings; or 1 where more than half saw both nouns, or the background changed, else 0",
    ),
)
ITEMS = (
    *SUBJECT,
    Field("prompt_source", "text", "caption file or grammar that the prompt came from"),
    Field("prompt_id", "text", "the prompt's own id in its source"),
    Field("parser", "text", "language pipeline that parsed the prompt"),
    Field("start", "int", "first character of the word in the prompt"),
    Field("end", "int", "character after the word's last"),
    Field("lemma", "text", "lemma of the word"),
    Field("relation", "text", "Universal Dependencies relation of the word to its head"),
    Field("map_source", "text", "what the map shown is: own, other-word, blob, uniform, file"),
    Field("map_word", "text", "the other word whose map is shown; empty where map_source is not other-word"),
    Field("places", "int", "answers asked for"),
    Field("withdrawn", "bool", "taken out of the study; counted nowhere"),
    *RECIPE,
    Field("image_file", "text", "file of the image in this folder; empty where it is left out or not made"),
    Field("maps_file", "text", "file of the maps of all the prompt's words (NumPy npz, a .json beside it)"),
    Field("second_image_file", "text", "file of the second image; empty where there is none"),
    Field("map_file", "text", "file of the map shown (npy) where map_source is file"),
    Field("image_sha256", "text", "SHA-256 of the image's file"),
    Field("maps_sha256", "text", "SHA-256 of the maps' file"),
    Field("second_image_sha256", "text", "SHA-256 of the second image's file"),
    Field("made_with", "text", "JSON: versions, device, types and attention that drew the image; empty if imported"),
    *COUNTS,
)
JUDGEMENTS = (
    *SUBJECT,
    Field("rater", "text", "pseudonym of the rater"),
    Field("simulated", "bool", "given by a program, not by a person"),
    Field("counted", "bool", "whether reports count it"),
    Field("fate", "text", "counted, or why not: superseded, surplus, simulated, withdrawn, excluded (the first)"),
    Field("revision", "int", "1 for the rater's first answer in this place, 2 for its correction, and so on"),
    Field("current", "bool", "not corrected by a later revision"),
    Field("surplus", "bool", "came after somebody else had taken the place"),
    Field("rating", "int", "1 bad, 2 poor, 3 fair, 4 good, 5 excellent"),
    Field("opt_out", "text", "word_too_abstract or image_too_poor; empty where the question was answered"),
    Field("first_present", "bool", "whether the rater saw the first noun"),
    Field("second_present", "bool", "whether the rater saw the second noun"),
    Field("change", "text", "what changed between two images: object, background, both or nothing; else empty"),
    Field("shown_at", "time", "when the server sent the stimulus, UTC"),
    Field("answered_at", "time", "when the server took the answer, UTC"),
    Field("browser_milliseconds", "int", "from both pictures painted to the answer, as the browser measured it"),
    Field("locale", "text", "language of the page that was answered"),
    Field("viewport", "text", "width x height @ device pixels a pixel"),
    Field("renderer", "text", "what drew the map, with its version"),
    Field("views", "text", "JSON: changes of the view, [milliseconds since painted, what, value] each"),
)
RATERS = (
    Field("rater", "text", "pseudonym"),
    Field("simulated", "bool", "a program, not a person"),
    Field("excluded", "bool", "whether the rater's answers are left out"),
    Field("exclusion_reason", "text", "why; the rule's name where a rule of the study decided"),
    Field("judgements", "int", "stored answers, all revisions"),
    Field("counted", "int", "answers that reports count"),
    Field("checks_passed", "int", "items with a known answer that were answered rightly"),
    Field("checks_failed", "int", "items with a known answer that were answered wrongly"),
    Field("locale", "text", "language of the rater's pages"),
)
TABLES = {"judgements": JUDGEMENTS, "items": ITEMS, "raters": RATERS}
