"""``python -m attribution prompts`` and ``ontology``."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from attribution.__main__ import main
from tests.attribution.wordnets import write_wordnet

CAPTIONS = """A dog chases a red ball.
Two cats sit on a wooden table.
An old man rides a horse.
Running fast.
A plate of apples and oranges.
"""


@pytest.fixture
def captions(tmp_path):
    path = tmp_path / "captions.txt"
    path.write_text(CAPTIONS)
    return path


def made(tmp_path, *arguments: str) -> tuple[list[str], list[dict]]:
    out = tmp_path / "made" / "prompts.txt"
    assert main(["prompts", *arguments, "--out", str(out)]) == 0
    rows = [json.loads(line) for line in (tmp_path / "made" / "prompts.txt.jsonl").read_text().splitlines()]
    return out.read_text().splitlines(), rows


def test_unreal_gen_swaps_the_nouns_of_coco_gens_captions(tmp_path, captions):
    options = ["--captions", str(captions), "--count", "3", "--seed", "4", "--at-least", "1"]
    real, rows = made(tmp_path, "coco-gen", *options)
    unreal, swapped = made(tmp_path, "unreal-gen", *options)
    assert set(real) < set(CAPTIONS.splitlines())
    assert [row["text"] for row in rows] == real
    assert [row["original"] for row in swapped] == real
    assert [row["text"] for row in swapped] == unreal
    assert [row["source_id"] for row in swapped] == [row["source_id"] for row in rows]
    for before, after, row in zip(real, unreal, swapped, strict=True):
        assert before != after
        assert all(new in after for _, new in row["swaps"])
    assert made(tmp_path, "unreal-gen", *options)[0] == unreal


def test_cohyponyms_are_half_of_the_prompts(tmp_path):
    lines, rows = made(tmp_path, "cohyponyms", "--count", "30", "--ontology", "tinyworld")
    assert Counter(row["condition"] for row in rows) == {"cohyponyms": 15, "non-cohyponyms": 15}
    for line, row in zip(lines, rows, strict=True):
        assert [line[start:end] for _, start, end in row["nouns"]] == [noun for noun, *_ in row["nouns"]]


def test_what_is_missing_is_said_plainly(tmp_path, captions, capsys):
    out = ["--out", str(tmp_path / "prompts.txt")]
    assert main(["prompts", "coco-gen", *out]) == 2
    assert "--captions" in capsys.readouterr().err
    assert main(["prompts", "coco-gen", *out, "--captions", str(captions), "--count", "9"]) == 2
    assert "holds 4" in capsys.readouterr().err
    assert main(["prompts", "cohyponyms", *out, "--count", "5"]) == 2
    assert "even number" in capsys.readouterr().err
    (tmp_path / "nouns.txt").write_text("cat\n\ncat\n")
    assert main(["ontology", str(tmp_path / "nouns.txt"), "--wordnet", str(tmp_path), *out]) == 2
    assert "no WordNet database" in capsys.readouterr().err
    assert not (tmp_path / "prompts.txt").exists()


def test_an_ontology_made_from_wordnet_is_one_to_draw_from(tmp_path):
    write_wordnet(tmp_path)
    (tmp_path / "nouns.txt").write_text("saw\naxe\n")
    out = tmp_path / "ontology.json"
    assert main(["ontology", str(tmp_path / "nouns.txt"), "--wordnet", str(tmp_path), "--out", str(out)]) == 0
    assert list(json.loads(out.read_text())["groups"].values()) == [["saw", "axe"]]
