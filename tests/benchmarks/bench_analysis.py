"""The statistics at a million judgements, each beside the package that one would take otherwise, in one run.

``python tests/benchmarks/bench_analysis.py [--items 333333] [--raters 1000] [--resamples 1000]``. CPU seconds of one
core. The packages are needed for the comparison only: ``pip install -e .[bench]``. Where a package takes minutes, one
resample or a part of the data is timed and scaled up, and the line says so; the results are compared on the same data.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from attribution.analysis import (
    Patterns,
    Ratings,
    alpha_without_each,
    bias_and_noise,
    cohen_kappa,
    compare_all,
    crossed_mean,
    crossed_medians,
    dawid_skene,
    fleiss_kappa,
    mace,
    miettinen_nurminen,
    newcombe,
    pigeonhole_interval,
    rater_quality,
    wilson,
)

PACKAGES = {"krippendorff": "krippendorff", "crowdkit": "crowd-kit", "statsmodels": "statsmodels"}


@dataclass(frozen=True)
class Study:
    """Three answers an item from 1 to 5, in long form; ``truth`` (I,) is what raters saw differently well."""

    item: Any
    rater: Any
    rating: Any
    truth: Any


def study(items: int, raters: int, seed: int = 0) -> Study:
    """Raters differ in severity and care; no rater rates an item twice."""
    rng = np.random.default_rng(seed)
    truth = np.clip(np.round(rng.normal(3.6, 1.0, items)), 1, 5)
    first = rng.integers(0, raters, items)
    step = rng.integers(1, raters // 3, items)
    rater = np.stack([first, first + step, first + 2 * step], axis=1) % raters
    severity, care = rng.normal(0, 0.3, raters), rng.uniform(0.4, 1.1, raters)
    rating = truth[:, np.newaxis] + severity[rater] + care[rater] * rng.normal(size=(items, 3))
    item = np.repeat(np.arange(items), 3)
    return Study(item, rater.ravel(), np.clip(np.round(rating), 1, 5).astype(np.int64).ravel(), truth)


def timed(work: Callable[[], Any], turns: int = 1) -> tuple[float, Any]:
    """CPU seconds of the quickest turn, and the result."""
    quickest, result = float("inf"), None
    for _ in range(turns):
        start = time.process_time()
        result = work()
        quickest = min(quickest, time.process_time() - start)
    return quickest, result


def say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")


def line(what: str, ours: float, theirs: float | None = None, package: str = "", note: str = "") -> None:
    """Our seconds, the package's, and how many times as many those are."""
    other = "" if theirs is None else f"{package} {theirs:10.2f} s  {theirs / ours:9.0f} x"
    say(f"{what:<52}{ours:9.3f} s   {other:<44}{note}")


def agree(what: str, ours: Any, theirs: Any, note: str = "") -> None:
    gap = float(np.nanmax(np.abs(np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float))))
    say(f"  {what}: largest difference {gap:.1e}{note}")


def wide(data: Study, raters: int) -> Any:
    table = np.full((raters, int(data.item.max()) + 1), np.nan)
    table[data.rater, data.item] = data.rating
    return table


def alpha(data: Study, small: Study, raters: int, resamples: int) -> None:
    items = int(data.item.max()) + 1
    counts = np.bincount(data.item * 5 + data.rating - 1, minlength=items * 5).reshape(items, 5)
    grouping, patterns = timed(lambda: Patterns.from_counts(counts))
    ours, _ = timed(lambda: (patterns.alpha(), patterns.interval(rng=rng(), resamples=resamples)), turns=3)
    import krippendorff

    options = {"level_of_measurement": "ordinal", "value_domain": [1, 2, 3, 4, 5]}
    theirs, value = timed(lambda: krippendorff.alpha(value_counts=counts, **options), turns=3)
    line(f"grouping {items:,} items by count pattern", grouping, note=f"{len(patterns.units)} patterns, once")
    note = f"one alpha times {resamples + 1:,}"
    line(f"alpha with {resamples:,} resamples", ours, theirs * (resamples + 1), "krippendorff", note)
    agree("ordinal alpha", patterns.alpha(), value)
    table = wide(small, raters)
    for level in ("nominal", "interval", "ratio"):
        mine = Patterns.from_ratings(table).alpha(level)
        agree(f"{level} alpha of {table.shape[1]:,} items", mine, krippendorff.alpha(table, level_of_measurement=level))
    ours, _ = timed(lambda: alpha_without_each(Ratings.of(data.item, data.rater, data.rating)))
    line(
        f"alpha without each of {raters:,} raters", ours, theirs * raters, "krippendorff", "one alpha times the raters"
    )
    some = alpha_without_each(Ratings.of(small.item, small.rater, small.rating))[1][:3]
    anew = [krippendorff.alpha(np.delete(table, at, axis=0), level_of_measurement="ordinal") for at in range(3)]
    agree("alpha without raters 0 to 2", some, anew)


def classes(data: Study, small: Study) -> None:
    import pandas
    from crowdkit.aggregation import MACE, DawidSkene

    steps = 5
    ours, _ = timed(lambda: dawid_skene(data.item, data.rater, data.rating - 1, steps=steps))
    frame = pandas.DataFrame({"task": data.item, "worker": data.rater, "label": data.rating - 1})
    theirs, _ = timed(lambda: DawidSkene(n_iter=1, tol=-1).fit(frame))
    line("Dawid-Skene, one step of EM", ours / steps, theirs, "crowd-kit   ", "its first step, with its start")
    frame = pandas.DataFrame({"task": small.item, "worker": small.rater, "label": small.rating - 1})
    items, kinds = int(small.item.max()) + 1, range(5)
    fitted = dawid_skene(small.item, small.rater, small.rating - 1)
    theirs_stopped = DawidSkene(n_iter=1000).fit(frame)
    theirs_run_on = DawidSkene(n_iter=len(fitted.log_likelihoods), tol=-1).fit(frame)
    stopped, run_on = (m.probas_.reindex(index=range(items), columns=kinds) for m in (theirs_stopped, theirs_run_on))
    early = f", after {len(theirs_stopped.loss_history_)} steps where ours takes {len(fitted.log_likelihoods)}"
    agree(f"posteriors of {items:,} items, as crowd-kit stops", fitted.posteriors, stopped, early)
    agree("the same, made to run on", fitted.posteriors, run_on)
    ours, _ = timed(lambda: mace(data.item, data.rater, data.rating - 1, rng=rng(), restarts=0, steps=steps))
    line("MACE, one step", ours / steps)
    # As many steps for both: crowd-kit's never stop before they run out, and its start is a random one.
    steps = 600
    columns = small.item, small.rater, small.rating - 1
    ours, mine = timed(lambda: mace(*columns, rng=rng(), restarts=0, tolerance=-1, steps=steps))
    in_order, shuffled = frame.sort_values(["worker", "label", "task"]), frame.sample(frac=1, random_state=0)
    theirs, fit = timed(lambda: MACE(n_restarts=1, n_iter=steps).fit(in_order))
    line(f"MACE of {items:,} items, {steps} steps", ours, theirs, "crowd-kit   ")
    agree(
        "posteriors, rows sorted by worker and label", mine.posteriors, fit.probas_.reindex(range(items), columns=kinds)
    )
    mixed = MACE(n_restarts=1, n_iter=steps).fit(shuffled).probas_.reindex(index=range(items), columns=kinds)
    agree("posteriors, rows shuffled", mine.posteriors, mixed, "  <- crowd-kit mixes up workers' habits of guessing")


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def tables(data: Study) -> None:
    from statsmodels.stats import inter_rater, proportion

    items = int(data.item.max()) + 1
    counts = np.bincount(data.item * 5 + data.rating - 1, minlength=items * 5).reshape(items, 5)
    ours, kappa = timed(lambda: fleiss_kappa(counts))
    theirs, other = timed(lambda: inter_rater.fleiss_kappa(counts))
    line("Fleiss' kappa", ours, theirs, "statsmodels ")
    agree("Fleiss' kappa", kappa, other)
    first, second = data.rating[::3] - 1, data.rating[1::3] - 1
    pairs = np.bincount(first * 5 + second, minlength=25).reshape(5, 5)
    for weights in (None, "linear", "quadratic"):
        theirs_kappa = inter_rater.cohens_kappa(pairs, wt=weights, return_results=False)
        agree(f"Cohen's kappa, weights {weights}", cohen_kappa(pairs, weights), theirs_kappa)
    low_high = proportion.proportion_confint(81, 263, method="wilson")
    agree("Wilson's interval of 81 of 263", wilson(81, 263), low_high)
    pair = ((56, 48), (70, 80))
    theirs_newcombe = proportion.confint_proportions_2indep(56, 70, 48, 80, method="newcomb", compare="diff")
    agree("Newcombe's interval of 56/70 - 48/80", newcombe(*pair), theirs_newcombe)
    theirs_score = proportion.confint_proportions_2indep(56, 70, 48, 80, method="score", compare="diff")
    wrong = f"  <- ours ({end(miettinen_nurminen(*pair))}) is the published (0.0528, 0.3382)"
    agree("Miettinen and Nurminen's of the same", miettinen_nurminen(*pair), theirs_score, wrong)


def end(interval: tuple[float, float]) -> str:
    return ", ".join(f"{value:.4f}" for value in interval)


def alone(data: Study) -> None:
    """What no package of these does."""
    columns = data.item, data.rater, data.rating
    line("every measure of every rater", timed(lambda: rater_quality(*columns))[0])
    line("mean with items and raters crossed", timed(lambda: crossed_mean(*columns))[0])
    line("mean of medians, items and raters crossed", timed(lambda: crossed_medians(*columns))[0])
    resampled = timed(lambda: pigeonhole_interval(*columns, rng=rng(), resamples=10))[0]
    line("the same by resampling both, a resample", resampled / 10)
    steps = 5
    line("bias and noise of raters, one step of EM", timed(lambda: bias_and_noise(*columns, steps=steps))[0] / steps)
    medians = np.median(data.rating.reshape(-1, 3), axis=1)
    tags = np.random.default_rng(1).choice(["ADJ", "ADV", "NOUN", "NUM", "PROPN", "VERB"], len(medians))
    work = timed(lambda: compare_all(medians, tags, np.arange(len(medians)), rng=rng()))
    line("15 contrasts, 2,000 resamples, 10,000 permutations", work[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=333_333, help="items with three answers each (default: 333333)")
    parser.add_argument("--raters", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=1000)
    chosen = parser.parse_args()
    data, small = study(chosen.items, chosen.raters), study(min(chosen.items, 2000), 30, seed=1)
    say(f"{3 * chosen.items:,} judgements of {chosen.items:,} items by {chosen.raters:,} raters; CPU seconds\n")
    alone(data)
    missing = [name for module, name in PACKAGES.items() if importlib.util.find_spec(module) is None]
    if missing:
        say(f"\nNot compared, for want of {', '.join(missing)}: pip install -e .[bench] and run this again.")
        return 0
    say()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alpha(data, small, chosen.raters, chosen.resamples)
        say()
        classes(data, small)
        say()
        tables(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
