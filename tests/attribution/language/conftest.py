"""A treebank of four sentences, small enough to train on in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

# form/lemma/UPOS/head/relation; heads count from 1; "^" before a form: written together with the word before it.
SENTENCES = [
    "A/a/DET/3/det black/black/ADJ/3/amod cat/cat/NOUN/4/nsubj sits/sit/VERB/0/root on/on/ADP/7/case "
    "the/the/DET/7/det mat/mat/NOUN/4/obl ^././PUNCT/4/punct",
    "The/the/DET/2/det man/man/NOUN/6/nsubj in/in/ADP/5/case the/the/DET/5/det hat/hat/NOUN/2/nmod "
    "has/have/VERB/0/root a/a/DET/8/det dog/dog/NOUN/6/obj and/and/CCONJ/11/cc a/a/DET/11/det "
    "ball/ball/NOUN/8/conj ^././PUNCT/6/punct",
    "Dogs/dog/NOUN/4/nsubj do/do/AUX/4/aux ^n't/not/PART/4/advmod run/run/VERB/0/root ^././PUNCT/4/punct",
    "Two/two/NUM/2/nummod dogs/dog/NOUN/0/root",
]


def conllu(sentence: str) -> str:
    """One compact sentence as CoNLL-U, contractions as multi-word tokens."""
    items = [item.rsplit("/", 4) for item in sentence.split()]
    glued = [form.startswith("^") for form, *_ in items] + [False]
    lines = []
    for index, (form, lemma, tag, head, relation) in enumerate(items):
        if form == "do":
            lines.append(f"{index + 1}-{index + 2}\tdon't" + "\t_" * 8)
        miscellaneous = "SpaceAfter=No" if glued[index + 1] and form != "do" else "_"
        fine_tag = "." if tag == "PUNCT" else tag
        columns = [index + 1, form.removeprefix("^"), lemma, tag, fine_tag, "_", head, relation, "_", miscellaneous]
        lines.append("\t".join(map(str, columns)))
    return "\n".join(lines) + "\n\n"


@pytest.fixture(scope="session")
def toy_treebank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train, dev and test parts and a licence; relations repeat often enough to become labels."""
    folder = tmp_path_factory.mktemp("treebank")
    once = "# newdoc\n" + "# newpar\n".join(conllu(sentence) for sentence in SENTENCES)
    (folder / "train.conllu").write_text(once * 20, encoding="utf-8")
    (folder / "dev.conllu").write_text(once, encoding="utf-8")
    (folder / "test.conllu").write_text(once, encoding="utf-8")
    (folder / "LICENSE.txt").write_text("the treebank's licence\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def toy_pipeline(toy_treebank: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the training command makes of the toy treebank in 42 steps."""
    from attribution.language.train import main

    out = tmp_path_factory.mktemp("pipeline")
    size = ["--steps", "40", "--polish", "2", "--words", "100"]
    assert main(["--treebank", str(toy_treebank), "--out", str(out), *size, "--seed", "1"]) == 0
    return out
