"""The visuosyntactic analysis on maps whose overlaps are counted by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from attribution.analysis.grouped import FEW
from attribution.analysis.overlap import PAPER, hard_overlaps
from attribution.analysis.syntax import COREFERENT, RELATED, UNRELATED, Syntax, measure
from attribution.records import Prompt
from tests.attribution.generations import cells, prompt

DOG = prompt(
    ("red", "ADJ", 1, "amod"), ("dog", "NOUN", 1, "root"), ("licks", "VERB", 1, "acl", "lick"),
    ("its", "PRON", 4, "nmod:poss"), ("nose", "NOUN", 2, "obj"),
)  # fmt: skip
SHAPE = (4, 4)
RED = cells(SHAPE, (0, 0), (0, 1), (0, 2), (0, 3))
BODY = cells(SHAPE, (0, 0), (1, 0))
NOWHERE = np.zeros(SHAPE, dtype=np.float32)


def record_of(parsed: Prompt, maps, *, without=(), tokens=None) -> dict:
    places = {k: row for row, k in enumerate(k for k in range(len(parsed.words)) if k not in without)}
    own = tokens or {k: frozenset({k}) for k in places}
    masks = PAPER.masks(np.stack([maps[k] for k in places]))
    return json.loads(json.dumps(measure(parsed.words, places, own, hard_overlaps(masks))))


def test_one_image():
    found = record_of(DOG, [RED, BODY, BODY, BODY, NOWHERE])
    # amod: red's 4 cells and the dog's 2 share 1. obj: the nose marks nothing. acl: equal.
    assert found["relations"]["amod"] == [[1, 0, 1 / 5, 1 / 4, 1 / 2, -1 / 4, 0]]
    assert found["relations"]["acl"] == [[1, 2, 1, 1, 1, 0, 0]]
    assert found["relations"]["obj"] == [[2, 4, 0, 0, 0, 0, 1]]
    # its and nose too.
    assert found["groups"][RELATED] == [4, 1 + 1 / 5, 1 + 1 / 4, 1 + 1 / 2, -1 / 4, 2]
    assert found["groups"][COREFERENT] == [1, 1, 1, 1, 0, 0]
    # The other five of ten: red with licks, its and nose; dog with nose; licks with its.
    pairs, iou, iod, ioh, *_ = found["groups"][UNRELATED]
    assert (pairs, iou) == (5, 1 / 5 + 1 / 5 + 0 + 0 + 1)
    assert (iod, ioh) == (1 / 2 + 1 / 2 + 0 + 0 + 1, 1 / 4 + 1 / 4 + 0 + 0 + 1)


def test_words_without_maps_and_words_of_one_token_are_left_out_and_counted():
    maps = [RED, BODY, BODY, BODY, BODY]
    found = record_of(DOG, maps, without={4})
    assert set(found["relations"]) == {"amod", "acl"}
    assert found["without_map"] == 2
    tokens = {0: frozenset({1, 2}), 1: frozenset({2, 3}), 2: frozenset({4}), 3: frozenset({5}), 4: frozenset({6})}
    found = record_of(DOG, maps, tokens=tokens)
    assert "amod" not in found["relations"]
    assert found["one_token"] == 1
    found = record_of(prompt(("dog", "NOUN", 0, "root")), [BODY])
    assert found["relations"] == {}
    assert all(count == 0 for count, *_ in found["groups"].values())


PAIR = prompt(("red", "ADJ", 1, "amod"), ("dog", "NOUN", 1, "root"), ("runs", "VERB", 1, "acl"))


def simulated(head_side: float, dependent_side: float, count: int, seed: int) -> Syntax:
    """Images in which the adjective's square and the noun's share a centre; the verb is somewhere else."""
    rng, total = np.random.default_rng(seed), Syntax(resamples=400)
    for k in range(count):
        maps = [_square(10, side + rng.uniform(-2, 2)) for side in (dependent_side, head_side)]
        elsewhere = _square(26, 5 + rng.uniform(-1, 1))
        total.add(f"image {k}", f"prompt {k // 2}", record_of(PAIR, [*maps, elsewhere]))
    return total


def _square(centre: float, side: float) -> np.ndarray:
    inside = np.abs(np.arange(32) - centre) <= side / 2
    return (inside[:, None] & inside).astype(np.float32)


def test_a_simulated_dominance_is_recovered():
    head_larger, equal = simulated(14, 7, 60, 0), simulated(10, 10, 60, 1)
    (amod, acl), unrelated_row = head_larger.rows(2)[:2], head_larger.rows(2)[3]
    assert (amod.relation, amod.pairs, amod.images) == ("amod", 60, 60) or acl.relation == "amod"
    row = next(row for row in (amod, acl) if row.relation == "amod")
    assert row.iod.value == 1
    # An odd side of 5 to 9 cells in one of 13 to 15.
    assert 25 / 225 < row.ioh.value < 81 / 169
    assert row.difference.interval.low > 0.4
    assert row.to_unrelated.interval.low > 0.05
    assert unrelated_row.iou.value == 0
    none = next(row for row in equal.rows() if row.relation == "amod")
    assert none.difference.interval.low < 0 < none.difference.interval.high
    turned = next(row for row in simulated(7, 14, 60, 0).rows() if row.relation == "amod")
    assert turned.difference.interval.high < -0.4


def test_rows_are_the_commonest_relations_and_the_baselines():
    total = Syntax(resamples=50)
    for k in range(3):
        total.add(f"{k}", f"p{k}", record_of(DOG, [RED, BODY, BODY, BODY, BODY]))
    total.add("one more", "p4", record_of(PAIR, [RED, BODY, BODY]))
    assert total.commonest() == ["acl", "amod", "nmod:poss", "obj"]
    rows = {row.relation: row for row in total.rows(2)}
    assert list(rows) == ["acl", "amod", RELATED, UNRELATED, COREFERENT]
    assert (rows["acl"].pairs, rows["acl"].images) == (4, 4)
    assert rows["acl"].iou.reason == FEW
    assert rows["acl"].iou.value == 1
    assert rows[UNRELATED].to_unrelated.reason == "the baseline itself"
    assert rows[COREFERENT].pairs == 3
    assert total.images == 4


def test_examples_are_the_pairs_that_share_most_and_least():
    total = Syntax(resamples=10)
    for width in range(8):
        dog = cells((1, 8), *((0, k) for k in range(width + 1)))
        whole = np.ones((1, 8), dtype=np.float32)
        total.add(f"image {width}", "p", record_of(PAIR, [whole, dog, whole]))
    best, worst = total.examples("amod")
    assert [(example.name, example.iou) for example in best] == [("image 7", 1), ("image 6", 7 / 8), ("image 5", 6 / 8)]
    assert [example.name for example in worst] == ["image 0", "image 1", "image 2"]
    assert (worst[0].iod, worst[0].ioh, worst[0].head, worst[0].dependent) == (1 / 8, 1, 1, 0)
    assert total.examples("nsubj") == ([], [])


def test_no_images_have_no_rows_but_the_empty_baselines():
    rows = Syntax().rows()
    assert [(row.relation, row.pairs, row.iou.reason) for row in rows] == [
        (RELATED, 0, "no values"), (UNRELATED, 0, "no values"), (COREFERENT, 0, "no values"),
    ]  # fmt: skip


def test_the_same_seed_gives_the_same_rows():
    assert simulated(14, 7, 20, 3).rows()[0] == simulated(14, 7, 20, 3).rows()[0]


@pytest.mark.parametrize("order", [1, -1])
def test_examples_do_not_depend_on_the_order_of_the_images(order):
    total = Syntax(resamples=10)
    for k in list(range(6))[::order]:
        total.add(f"image {k}", "p", record_of(PAIR, [BODY, BODY, BODY]))
    assert [example.name for example in total.examples("amod")[0]] == ["image 5", "image 4", "image 3"]
