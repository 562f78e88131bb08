"""What the paper reports, to stand beside a study's own numbers (Tang et al., ACL 2023, sections 3.2 and 5.1).

The paper's text gives a range and an order for the tags that it kept, no number per tag; nothing finer is claimed here.
"""

from __future__ import annotations

KEPT_TAGS = ("ADJ", "ADV", "NOUN", "NUM", "PROPN", "VERB")
MEAN_RANGE = (3.4, 4.2)
NEAR_FAIR = frozenset({"ADV", "NUM"})
FAIR_SHARE = {tag: 0.8 if tag in NEAR_FAIR else 0.9 for tag in KEPT_TAGS}
SHARE_RIGHT = {"cohyponyms": 0.52, "non-cohyponyms": 0.61}


def mean_text(tag: str) -> str:
    """The paper's mean opinion score of a tag, as far as it states one; its six tags lie within MEAN_RANGE."""
    if tag not in KEPT_TAGS:
        return "not kept"
    return "nearer fair" if tag in NEAR_FAIR else "near or above good"


def fair_text(tag: str) -> str:
    """The paper's share of judgements from fair to excellent."""
    return f"at least {FAIR_SHARE[tag]:.0%}" if tag in FAIR_SHARE else "not kept"


def right_text(condition: str) -> str:
    """The paper's share of images that show both nouns."""
    return f"{SHARE_RIGHT[condition]:.0%}" if condition in SHARE_RIGHT else "none"
