"""People's answers about two nouns, as the analysis of cohyponyms takes them."""

from __future__ import annotations

from annotation_site.analyses.people import both_seen


def test_the_majority_of_people_decides(make_study, fill):
    study = make_study("presence", items=4)
    fill(study, {"cohyponyms": ["BB1", "B10"], "non-cohyponyms": ["BBB"]})
    identities = dict(study.items.values_list("position", "generation__identity"))
    positions = {
        name: list(study.items.filter(condition=name).order_by("position").values_list("position", flat=True))
        for name in ("cohyponyms", "non-cohyponyms")
    }
    assert both_seen(study) == {
        identities[positions["cohyponyms"][0]]: True,
        identities[positions["cohyponyms"][1]]: False,
        identities[positions["non-cohyponyms"][0]]: True,
    }


def test_simulated_raters_say_nothing(make_study, fill):
    study = make_study("presence", items=2)
    fill(study, {"cohyponyms": ["BBB"]}, simulated=True)
    assert both_seen(study) == {}
