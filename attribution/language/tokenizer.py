"""spaCy's English tokeniser, bent to the tokens of the Universal Dependencies English treebanks.

The rules are stored with the pipeline, so that loading it needs nothing from this module.
"""

from __future__ import annotations

import re

from spacy.lang.char_classes import ALPHA, HYPHENS
from spacy.language import Language
from spacy.symbols import ORTH
from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex

# UD keeps these bound to the word that follows ("non-smoker", "e-mail"); other hyphens stand alone.
BOUND_PREFIXES = (
    "anti", "bi", "co", "de", "e", "ex", "extra", "inter", "mega", "micro", "mid", "mini", "multi", "neo", "non",
    "over", "post", "pre", "pro", "pseudo", "quasi", "re", "semi", "sub", "super", "ultra", "un",
)  # fmt: skip
RUNS = [r"[.!?]{2,}", *(re.escape(mark) + "{2,}" for mark in "-_=*<>~#+$\u2018\u2019")]
CLOCK_SUFFIX = r"(?<=[0-9])(?:[ap]\.m\.|am|pm|AM|PM)"
NUMBER_GROUPS = r"[0-9]{3}[-.][0-9]{3}[-.][0-9]{4}$"
ABBREVIATIONS = ("b/c", "Ft.", "ft.", "No.", "approx.", "min.", "max.")
CONTRACTIONS = {"wanna": ("wan", "na"), "Wanna": ("Wan", "na"), "alot": ("a", "lot"), "outta": ("out", "ta")}


def adapt_tokenizer(nlp: Language) -> None:
    """Replace the rules of ``nlp``'s tokeniser in place by rules that follow the English UD treebanks."""
    tokenizer, defaults = nlp.tokenizer, nlp.Defaults
    tokenizer.prefix_search = compile_prefix_regex([*RUNS, *defaults.prefixes]).search
    tokenizer.suffix_search = compile_suffix_regex([*RUNS, CLOCK_SUFFIX, *defaults.suffixes]).search
    tokenizer.infix_finditer = compile_infix_regex([*RUNS, *_infixes(defaults.infixes)]).finditer
    tokenizer.token_match = re.compile(NUMBER_GROUPS).match
    exceptions = {form: analysis for form, analysis in tokenizer.rules.items() if form not in ("and/or", "And/or")}
    exceptions |= {form: [{ORTH: form}] for form in ABBREVIATIONS}
    exceptions |= {form: [{ORTH: part} for part in parts] for form, parts in CONTRACTIONS.items()}
    tokenizer.rules = exceptions


def _infixes(defaults: list[str]) -> list[str]:
    """The default infixes, with a hyphen rule that spares bound prefixes."""
    spared = "".join(rf"(?<!\b(?i:{prefix}))" for prefix in BOUND_PREFIXES)
    hyphen = rf"(?<=[{ALPHA}0-9]){spared}(?:{HYPHENS})(?=[{ALPHA}0-9])"
    return [rule for rule in defaults if HYPHENS not in rule] + [hyphen]
