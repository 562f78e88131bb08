"""``analyse cohyponyms`` on maps whose overlap is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from attribution.__main__ import main
from attribution.ontology import COCO, COHYPONYMS, OTHERS, noun_pairs
from attribution.records import Prompt, Word
from tests.attribution.generations import store


def row_of(width: int, start: int = 0) -> np.ndarray:
    grid = np.zeros((1, 10), dtype=np.float32)
    grid[0, start : start + width] = 1
    return grid


def make(folder: Path, overlap: dict[str, int], count: int = 40, seeds: int = 2) -> dict[str, str]:
    """Two nouns mark 5 cells each and share as many as ``overlap`` says of their condition; names by condition."""
    conditions = {}
    for number, pair in enumerate(noun_pairs(COCO, count, 0)):
        shared = overlap[pair.condition]
        words = [Word(noun, start, end, "NOUN", noun, 0, "dep") for noun, start, end in pair.nouns]
        for seed in range(seeds):
            name = f"{number:03}-{seed}"
            maps = [row_of(5), row_of(5, 5 - shared)]
            store(folder / name, Prompt(pair.text, tuple(words)), maps)
            conditions[name] = pair.condition
    return conditions


def report(out: Path) -> dict:
    return json.loads((out / "report.json").read_text())["tables"]


def test_more_overlap_of_cohyponyms_is_found(tmp_path):
    make(tmp_path / "g", {COHYPONYMS: 3, OTHERS: 1})
    assert main(["analyse", "cohyponyms", str(tmp_path / "g"), "--out", str(tmp_path / "out")]) == 0
    alike, others = report(tmp_path / "out")["rows"]
    # 3 of 7 cells, 1 of 9.
    assert (alike["group"], alike["images"], alike["iou"]["value"]) == (COHYPONYMS, 40, pytest.approx(3 / 7))
    assert (others["group"], others["images"], others["iou"]["value"]) == (OTHERS, 40, pytest.approx(1 / 9))
    (test,) = report(tmp_path / "out")["tests"]
    assert test["difference"]["value"] == pytest.approx(3 / 7 - 1 / 9)
    # No permutation of 40 prompts does as well: one in ten thousand and one.
    assert test["p_value"] == pytest.approx(1 / 10_001)
    assert "52% right for cohyponyms against 61%" in (tmp_path / "out" / "index.html").read_text()


def test_no_difference_is_not_found(tmp_path):
    make(tmp_path / "g", {COHYPONYMS: 2, OTHERS: 2}, seeds=1)
    assert main(["analyse", "cohyponyms", str(tmp_path / "g"), "--out", str(tmp_path / "out")]) == 0
    (test,) = report(tmp_path / "out")["tests"]
    assert test["difference"]["value"] == pytest.approx(0)
    assert test["p_value"] == 1


def test_peoples_answers_split_the_images(tmp_path):
    conditions = make(tmp_path / "g", {COHYPONYMS: 3, OTHERS: 0}, count=40, seeds=1)
    # Right: all of the others, and every fourth cohyponym.
    alike = [name for name, condition in conditions.items() if condition == COHYPONYMS]
    answers = {name: int(name not in alike or alike.index(name) % 4 == 0) for name in conditions}
    lines = ["generation,right", *(f"{name},{right}" for name, right in answers.items() if name != alike[1])]
    (tmp_path / "answers.csv").write_text("\n".join(lines))
    options = ["--out", str(tmp_path / "out"), "--answers", str(tmp_path / "answers.csv")]
    assert main(["analyse", "cohyponyms", str(tmp_path / "g"), *options]) == 0
    rows = {row["group"]: row for row in report(tmp_path / "out")["rows"]}
    assert rows["right images"]["images"] == 25
    assert rows["right images"]["iou"]["value"] == pytest.approx(5 * (3 / 7) / 25)
    assert rows["wrong images"]["images"] == 14
    assert rows["wrong images"]["iou"]["value"] == pytest.approx(3 / 7)
    assert rows["cohyponyms, right images"]["images"] == 5
    assert rows["non-cohyponyms, wrong images"]["iou"]["undefined"] == "no values"
    _, overlap, shares = report(tmp_path / "out")["tests"]
    assert overlap["difference"]["value"] == pytest.approx(3 / 7 - 5 * (3 / 7) / 25)
    assert overlap["p_value"] < 0.01
    assert shares["difference"]["value"] == pytest.approx(1 - 5 / 19)


def test_other_prompts_and_nouns_without_maps_are_counted(tmp_path):
    words = (Word("cat", 2, 5, "NOUN", "cat", 0, "root"), Word("dog", 12, 15, "NOUN", "dog", 0, "conj"))
    store(tmp_path / "g" / "cut", Prompt("a cat and a dog", words), [row_of(5)] * 2, cut=9)
    store(tmp_path / "g" / "other", Prompt("a cat ran at a dog", words[:1]), [row_of(5)])
    assert main(["analyse", "cohyponyms", str(tmp_path / "g"), "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "index.html").read_text()
    assert "1 images of other prompts" in page
    assert "1 images in which a noun has no map" in page
    assert "undefined" in page


def test_the_tiny_worlds_groups_and_groups_from_a_file(tmp_path):
    words = (Word("star", 2, 6, "NOUN", "star", 0, "root"), Word("moon", 13, 17, "NOUN", "moon", 0, "conj"))
    for k in range(3):
        store(tmp_path / "g" / f"{k}", Prompt("a star and a moon", words), [row_of(5), row_of(4)])
    (tmp_path / "own.json").write_text('{"groups": {"stars": ["star"], "moons": ["moon"]}}')
    for ontology, group in (("tinyworld", COHYPONYMS), (str(tmp_path / "own.json"), OTHERS)):
        out = tmp_path / group
        options = ["--out", str(out), "--ontology", ontology]
        assert main(["analyse", "cohyponyms", str(tmp_path / "g"), *options]) == 0
        row = next(row for row in report(out)["rows"] if row["group"] == group)
        assert (row["images"], row["iou"]["value"]) == (3, pytest.approx(4 / 5))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,right\na,1\n", "the columns generation and right"),
        ("generation,right\na,maybe\n", "line 2: right is 'maybe'"),
    ],
)
def test_answers_that_cannot_be_read_are_named(tmp_path, capsys, text, message):
    (tmp_path / "g").mkdir()
    (tmp_path / "answers.csv").write_text(text)
    options = ["--out", str(tmp_path / "out"), "--answers", str(tmp_path / "answers.csv")]
    assert main(["analyse", "cohyponyms", str(tmp_path / "g"), *options]) == 2
    assert message in capsys.readouterr().err
