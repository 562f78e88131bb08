"""What a report will compute of a study, as settings and in words: fixed by its kind and by this version of Attest."""

from __future__ import annotations

from typing import Any

from annotation_site.reports import comparisons, presence_parts
from annotation_site.reports.likert import FAIR
from annotation_site.reports.precision import CONFIDENCE, RESAMPLES, SEED
from annotation_site.reports.rater_rows import QUICK_SECONDS
from annotation_site.studies.models import Study

METHODS = {
    Study.Kind.LIKERT: (
        "A pair (word and image) is dropped when any counted rater calls its word too abstract; otherwise it is scored "
        "by the median of its ratings, once all its places are answered and more than half hold a rating.",
        "Each tag: the mean of the pairs' medians, its percentile interval by resampling images; beside it an interval "
        "over images and raters.",
        "Agreement: Krippendorff's ordinal alpha, its percentile interval by resampling pairs.",
        "Contrasts: every two tags with scored pairs, by permuting whole images, p adjusted by Holm's method, with "
        "Cliff's delta and Hedges' g.",
        "Arms: each other map against DAAM's on the same words, paired, p adjusted by Holm's method.",
    ),
    Study.Kind.PRESENCE: (
        "An image is right when more than half of its counted raters saw both nouns; a tie is not right. It is scored "
        "once all its places are answered and more than half hold an answer.",
        "Each condition: the share of right images with Wilson's interval; the difference between conditions with "
        "Newcombe's interval.",
        "The difference is tested by permuting noun pairs, and by Rao and Scott's chi-squared over noun pairs.",
        "Agreement: Krippendorff's alpha with the MASI distance, its percentile interval by resampling images.",
    ),
    Study.Kind.CHANGE: (
        "The background of two images changed when more than half of their counted raters said background or both; a "
        "tie is no change. A pair is scored once all its places are answered and more than half hold an answer.",
        "Each swap set and all of them: the share of pairs whose background changed, with Wilson's interval.",
        "Agreement: Krippendorff's nominal alpha, its percentile interval by resampling pairs.",
    ),
}


def analysis(study: Study) -> dict[str, Any]:
    """The settings of the study's report, and its methods in words."""
    settings = {
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
        "seed": SEED,
        "quick_seconds": QUICK_SECONDS,
        "methods": METHODS[Study.Kind(study.kind)],
    }
    return settings | _of_kind(study)


def _of_kind(study: Study) -> dict[str, Any]:
    if study.kind == Study.Kind.LIKERT:
        return {
            "fair_from": FAIR,
            "interpretable_minimum": study.interpretable_minimum,
            "comparison_resamples": comparisons.RESAMPLES,
            "comparison_permutations": comparisons.PERMUTATIONS,
        }
    return {"comparison_permutations": presence_parts.PERMUTATIONS} if study.kind == Study.Kind.PRESENCE else {}
