"""Training the shipped language pipeline on a Universal Dependencies treebank.

``python -m attribution.language.train --treebank DIR --out DIR`` reads ``train.conllu`` and ``dev.conllu``
in DIR, trains a small spaCy pipeline on one CPU core, prunes what it stores and saves it with its notices.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words
from spacy.util import fix_random_seed
from thinc.api import Adam, Optimizer, warmup_linear
from tqdm import tqdm

from attribution.language.augment import lowered, noun_phrases, training_texts
from attribution.language.conllu import Paragraph, read_paragraphs
from attribution.language.ship import licence_of, ship
from attribution.language.tokenizer import adapt_tokenizer

WIDTH = 96
NAME, VERSION = "attest_ud_english", "1.0.0"
# Fine tags (XPOS) are learnt beside the rest, as one more hint to the shared layers; they are not shipped.
AUXILIARY = "tagger"


def build(width: int = WIDTH, rows: Sequence[int] = (4000, 1000, 2000, 1000), depth: int = 4) -> Language:
    """An untrained pipeline: a shared tok2vec with a fine-tag, a UPOS, a dependency and a lemma head."""
    nlp = spacy.blank("en")
    nlp.meta.update({"name": NAME, "version": VERSION})
    adapt_tokenizer(nlp)
    nlp.add_pipe("tok2vec", config={"model": _tok2vec(width, list(rows), depth)})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": width, "upstream": "*"}
    tagger = {"@architectures": "spacy.Tagger.v2", "nO": None, "normalize": False, "tok2vec": listener}
    nlp.add_pipe(AUXILIARY, config={"model": tagger})
    nlp.add_pipe("morphologizer", config={"model": tagger})
    nlp.add_pipe("parser", config={"model": _transitions(listener), "min_action_freq": 20})
    nlp.add_pipe("trainable_lemmatizer", config={"model": tagger, "min_tree_freq": 5})
    return nlp


def _tok2vec(width: int, rows: list[int], depth: int) -> dict[str, Any]:
    return {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": width,
            "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
            "rows": rows,
            "include_static_vectors": False,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2",
            "width": width,
            "depth": depth,
            "window_size": 1,
            "maxout_pieces": 3,
        },
    }


def _transitions(tok2vec: dict[str, Any]) -> dict[str, Any]:
    return {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "parser",
        "extra_state_tokens": False,
        "hidden_width": 96,
        "maxout_pieces": 2,
        "use_upper": True,
        "nO": None,
        "tok2vec": tok2vec,
    }


def reference(nlp: Language, text: Paragraph) -> Doc:
    """The gold analysis as a spaCy document over the treebank's own tokens."""
    offsets = itertools.accumulate((len(sentence) for sentence in text), initial=0)
    heads = [word.head + offset for sentence, offset in zip(text, offsets, strict=False) for word in sentence]
    words = [word for sentence in text for word in sentence]
    return Doc(
        nlp.vocab,
        words=[word.form for word in words],
        spaces=[word.space for word in words[:-1]] + [False],
        pos=[word.tag for word in words],
        tags=[word.fine_tag for word in words],
        lemmas=["" if word.lemma == "_" and word.form != "_" else word.lemma for word in words],
        heads=heads,
        deps=["ROOT" if word.relation == "root" else word.relation for word in words],
    )


def example(nlp: Language, text: Paragraph) -> Example:
    """The pipeline's own tokens paired with the gold analysis, aligned by spaCy."""
    gold = reference(nlp, text)
    return Example(nlp.make_doc(gold.text), gold)


def train(paragraphs: list[Paragraph], *, steps: int, seed: int, nlp: Language, words_per_step: int = 750) -> Language:
    """Train ``nlp`` in place for ``steps`` updates of about ``words_per_step`` words each, and return it."""
    fix_random_seed(seed)
    optimizer = _optimizer(0.002, min(250, steps // 10), steps)
    sample = list(_label_sample(nlp, paragraphs))
    nlp.initialize(lambda: sample, sgd=optimizer)
    examples = _examples(nlp, paragraphs, seed, careless=True)
    _update(nlp, minibatch_by_words(examples, words_per_step, get_length=_length), steps, optimizer)
    return nlp


def polish(paragraphs: list[Paragraph], *, steps: int, seed: int, nlp: Language, words_per_step: int = 750) -> Language:
    """Go on training ``nlp``, gently, on texts that keep their capitals, so that these tell names from nouns."""
    fix_random_seed(seed)
    examples = _examples(nlp, paragraphs, seed, careless=False)
    optimizer = _optimizer(0.0007, min(50, steps // 10), steps)
    _update(nlp, minibatch_by_words(examples, words_per_step, get_length=_length), steps, optimizer)
    return nlp


def _update(nlp: Language, batches: Iterable[list[Example]], steps: int, optimizer: Optimizer) -> None:
    progress = tqdm(itertools.islice(batches, steps), total=steps, unit="step", file=sys.stderr, mininterval=5)
    for batch in progress:
        losses = nlp.update(batch, sgd=optimizer, drop=0.1)
        progress.set_postfix({name: f"{loss:.0f}" for name, loss in losses.items()}, refresh=False)
        optimizer.step_schedules()  # type: ignore[no-untyped-call]


def _optimizer(peak: float, warmup: int, steps: int) -> Optimizer:
    """Adam whose rate climbs to ``peak`` and then falls to zero in a straight line."""
    rate: Any = warmup_linear(peak, warmup, steps + 1)
    optimizer: Optimizer = Adam(learn_rate=rate, L2=0.01, L2_is_weight_decay=True, grad_clip=1.0, use_averages=False)
    return optimizer


def _label_sample(nlp: Language, paragraphs: list[Paragraph]) -> Iterator[Example]:
    """All paragraphs as they stand, then without capitals, so that every label and edit tree is known."""
    for paragraph in paragraphs:
        yield example(nlp, paragraph)
        yield from (example(nlp, (lowered(phrase),)) for sentence in paragraph for phrase in noun_phrases(sentence)[:1])


def _examples(nlp: Language, paragraphs: list[Paragraph], seed: int, *, careless: bool) -> Iterator[Example]:
    rng = random.Random(seed)  # noqa: S311 - reproducible training, no secret
    while True:
        yield from (example(nlp, text) for text in training_texts(paragraphs, rng, careless=careless))


def _length(pair: Example) -> int:
    return len(pair.predicted)


def main(arguments: Iterable[str] | None = None) -> int:
    options = _parser().parse_args(None if arguments is None else list(arguments))
    licence_of(options.treebank)
    paragraphs = read_paragraphs(options.treebank / "train.conllu")
    nlp = train(paragraphs, steps=options.steps, seed=options.seed, nlp=build(), words_per_step=options.words)
    polish(paragraphs, steps=options.polish, seed=options.seed + 1, nlp=nlp, words_per_step=options.words)
    nlp.remove_pipe(AUXILIARY)
    recipe = f"--steps {options.steps} --polish {options.polish} --words {options.words} --seed {options.seed}"
    scores = ship(nlp, options.out, treebank=options.treebank, recipe=recipe)
    print(json.dumps(scores, indent=2))  # noqa: T201 - a command's output
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m attribution.language.train", description=__doc__)
    parser.add_argument(
        "--treebank", type=Path, required=True, help="folder with train.conllu, dev.conllu, test.conllu"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to save the pipeline in")
    parser.add_argument("--steps", type=int, default=4800, help="updates (default 4800)")
    parser.add_argument(
        "--polish", type=int, default=0, help="further, gentler updates on texts with their capitals (default 0)"
    )
    parser.add_argument("--words", type=int, default=750, help="words an update, about (default 750)")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
