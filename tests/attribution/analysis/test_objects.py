"""Object attribution on masks counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from attribution.analysis.objects import ALL, COCO, SWEEP, WHOLE, Objects, method, scores

TRUTH = np.zeros((2, 5), dtype=bool)
TRUTH[0] = True
# 1, 0.8, 0.6, 0.4, 0.2 in the upper row, 0.5 in one cell of the lower.
MAP = np.array([[1.0, 0.8, 0.6, 0.4, 0.2], [0.5, 0, 0, 0, 0]], dtype=np.float32)


def test_scores_of_one_noun():
    left = np.zeros_like(TRUTH)
    left[:, :2] = True
    found = scores(MAP, TRUTH, {"left": left, "blind": None})
    assert found[WHOLE] == 0.5
    assert found["left"] == 2 / 7
    assert found["blind"] == 0
    # At 0.3: four of the row's five and one beside it.
    assert found[method(0.3)] == 4 / 6
    assert found[method(0.5)] == 3 / 6
    assert found[method(0.55)] == 3 / 5
    assert found[method(0.05)] == 5 / 6
    assert found[method(0.95)] == 1 / 5
    assert len(SWEEP) == 19


def record(*nouns: tuple[str, str | None, float]) -> dict:
    """A record in which DAAM scores the number given everywhere, and the whole image a tenth."""
    names = [*map(method, SWEEP), WHOLE, "other"]
    rows = [[name, coco, dict.fromkeys(names, score) | {WHOLE: 0.1}] for name, coco, score in nouns]
    return {"nouns": rows, "unseen": 1, "without_map": 2}


def test_both_sets_and_the_nouns():
    total = Objects(["other"])
    for k in range(10):
        total.add(f"p{k}", record(("man", "person", 0.5), ("woman", "person", 0.7), ("teapot", None, 0.3)))
    daam, _, _, whole, other = total.rows()
    assert (daam.coco.value, daam.all.value) == (pytest.approx(0.6), pytest.approx(0.5))
    assert daam.over_whole.value == pytest.approx(0.4)
    assert daam.over_whole.interval == pytest.approx((0.4, 0.4))
    assert whole.all.value == pytest.approx(0.1)
    assert whole.over_whole.reason == "the baseline itself"
    assert other.method == "other"
    assert [(row.noun, row.nouns, row.images) for row in total.noun_rows()] == [("person", 20, 20), ("teapot", 10, 10)]
    assert total.noun_rows(1)[0].daam.value == pytest.approx(0.6)
    assert (total.images, total.unseen, total.without_map) == (10, 10, 20)
    assert total.sweep()[0][0] == 0.05


def test_without_nouns_of_coco_there_is_no_miou80():
    total = Objects()
    total.add("p", record(("teapot", None, 0.3)))
    total.add("p", {"nouns": [], "unseen": 0, "without_map": 0})
    assert total.sets.count(ALL) == 1
    assert total.sets.count(COCO) == 0
    assert total.rows()[0].coco.reason == "no values"
