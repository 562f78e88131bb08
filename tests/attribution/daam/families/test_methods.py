"""The registry of methods: one call of the pipeline, observed in every way that fits."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest

import attribution
from attribution.daam import methods
from attribution.errors import TraceError, WordError
from attribution.maps.methods import CONTROLS, SUMMARIES

Draw = Callable[..., np.ndarray[Any, Any]]
DOG = "a dog chasing a ball"
NAMES = ("daam", "concept-attention", "other-word", "blob", "uniform")


def test_every_method_of_one_call(pipelines: dict[str, Any], draw: Draw) -> None:
    plain = draw("flux")
    with ExitStack() as block:
        observers = {name: block.enter_context(methods.observe(name, pipelines["flux"])) for name in methods.METHODS}
        assert np.array_equal(draw("flux"), plain)
    assert tuple(observers) == NAMES
    found = {name: observer.heat_maps()[0] for name, observer in observers.items()}
    assert {name: maps.method for name, maps in found.items()} == {name: name for name in NAMES}
    for maps in found.values():
        assert [word.text for word in maps.words()] == DOG.split()
        assert maps.word("dog").values.shape == (8, 8)
    own = {word.text: word.values for word in found["daam"].words()}
    dog = found["other-word"].word("dog").values
    assert any(np.allclose(dog, own[text], rtol=1e-5) for text in ("a", "chasing", "ball"))
    assert not np.allclose(dog, own["dog"], rtol=1e-3)
    assert (found["uniform"].word("ball").values == 1).all()
    rows, columns = np.indices((8, 8)) - 3.5
    expected = np.exp(-(rows**2 + columns**2) / (2 * (0.2 * 8) ** 2))
    np.testing.assert_allclose(found["blob"].word("ball").values, expected, rtol=1e-6)


def test_options_restrict_a_method(pipelines: dict[str, Any], draw: Draw) -> None:
    some = {"layers": ["single_transformer_blocks"], "heads": [0], "steps": [1]}
    flux = pipelines["flux"]
    with (
        methods.observe("daam", flux, ["dog"], **some) as by_name,
        attribution.trace(flux, ["dog"], **some) as directly,
    ):
        draw("flux")
    assert np.array_equal(by_name.heat_maps()[0].tokens, directly.heat_maps()[0].tokens)
    with methods.observe("concept-attention", pipelines["sd3"], ["dog"], others=["sky"]) as concepts:
        draw("sd3")
    assert [token.text for token in concepts.heat_maps()[0].alignment.tokens] == ["dog", "sky"]


def test_other_words_depend_on_the_seed_alone(pipelines: dict[str, Any], draw: Draw) -> None:
    observers = [methods.observe("other-word", pipelines["pixart"], seed=seed) for seed in (1, 1, 2, 3)]
    with ExitStack() as block:
        for observer in observers:
            block.enter_context(observer)
        draw("pixart", ["a dog chasing a ball", "two red cats"], seeds=(1, 2))
    first, again, *others = ([maps.tokens for maps in observer.heat_maps()] for observer in observers)
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert any(not np.array_equal(first[0], other[0]) for other in others)


def test_names_that_need_no_torch() -> None:
    assert tuple(SUMMARIES) == tuple(methods.METHODS) == NAMES
    assert [method.summary for method in methods.METHODS.values()] == list(SUMMARIES.values())
    assert [name for name in NAMES if SUMMARIES[name].startswith("a control")] == list(CONTROLS)


@pytest.mark.parametrize(
    ("name", "family", "options", "message"),
    [
        ("daem", "flux", {}, "no method 'daem'; choose from daam, concept-attention, other-word, blob, uniform"),
        ("uniform", "flux", {"seed": 1}, "'uniform' has no option seed; its options: none"),
        ("daam", "flux", {"others": [], "tau": 1}, "no option others, tau; its options: exact, heads, layers, steps"),
        (
            "concept-attention",
            "pixart",
            {},
            "does not fit PixArtAlphaPipeline, which is of the family 'pixart': it fits stable-diffusion-3, flux",
        ),
    ],
)
def test_what_does_not_fit_is_named(
    pipelines: dict[str, Any], name: str, family: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(TraceError, match=message):
        methods.observe(name, pipelines[family], **options)


def test_a_prompt_of_one_word_has_no_other(pipelines: dict[str, Any], draw: Draw) -> None:
    with methods.observe("other-word", pipelines["flux"]) as lonely:
        draw("flux", "dog")
    with pytest.raises(WordError, match="'dog' is the only word traced"):
        lonely.heat_maps()
    with methods.observe("other-word", pipelines["flux"]) as empty:
        draw("flux", "")
    with pytest.raises(WordError, match="no word of the prompt ''"):
        empty.heat_maps()
    with methods.observe("blob", pipelines["flux"], spread=0) as flat:
        draw("flux")
    with pytest.raises(ValueError, match="spread is 0"):
        flat.heat_maps()
