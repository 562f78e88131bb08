"""The figures of Tang et al., "What the DAAM" (ACL 2023), that reports print beside their own."""

from __future__ import annotations

from typing import Final

#: Section 4, the authors' later run: SD 2.1 base, CoreNLP, 0.15 on raw maps. Percent: mIoU, mIoD, mIoH.
RELATIONS: Final[dict[str, tuple[float, float, float]]] = {
    "punct": (0.10, 2.45, 0.10),
    "nmod:of": (8.7, 12.9, 22.0),
    "compound": (33.4, 59.1, 50.0),
    "nsubj": (5.0, 10.7, 22.7),
    "case": (3.8, 18.1, 5.9),
    "det": (0.45, 13.0, 0.66),
    "conj:and": (28.4, 55.5, 39.6),
    "acl": (6.5, 28.7, 11.1),
    "obj": (6.6, 10.6, 36.4),
    "amod": (14.7, 45.1, 19.1),
}

#: Section 3.1: DAAM's mIoU in percent over both prompt sets at tau 0.3, 0.4 and 0.5, lowest and highest.
OBJECTS: Final = (58.8, 64.8)

#: Section 5.1: percent of images that show both nouns.
COHYPONYMS, OTHERS = 52, 61
