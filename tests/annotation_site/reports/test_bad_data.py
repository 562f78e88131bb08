"""Studies that leave numbers undefined: every form says why, none breaks, none shows a NaN."""

from __future__ import annotations

import re

import pytest

from annotation_site.reports import formats, latex, text
from annotation_site.reports.document import as_html
from annotation_site.reports.exclusions import hits
from annotation_site.reports.loading import load
from annotation_site.reports.pdf import as_pdf
from annotation_site.reports.report import report_of
from annotation_site.reports.report_tables import tables

NAN = re.compile(r"\bnan\b|\bNone\b|\binf\b", re.IGNORECASE)
LIKERT = {
    "one rater": {"NOUN": [(3,)], "VERB": [(4,)]},
    "all equal": {tag: [(4, 4, 4)] * 3 for tag in ("NOUN", "VERB", "ADJ", "DET")},
    "all dropped": {tag: [("A", "A", "A")] * 3 for tag in ("NOUN", "VERB", "ADJ", "DET")},
    "all too poor": {"NOUN": [("P", "P", "P")] * 3},
    "one pair": {"NOUN": [(1, 3, 5)]},
    "two tags of one pair": {"NOUN": [(1, 3, 5)], "VERB": [(2, 2, 2)]},
}
PRESENCE = {
    "one condition": {"cohyponyms": [("B", "1", "0")]},
    "all right": {"cohyponyms": [("B", "B", "B")] * 2, "non-cohyponyms": [("B", "B", "B")] * 2},
    "all too poor": {"cohyponyms": [("P", "P", "P")] * 2},
}
CASES = [("likert", name) for name in LIKERT] + [("presence", name) for name in PRESENCE]


@pytest.mark.parametrize(("kind", "name"), CASES)
@pytest.mark.parametrize("simulated", [False, True])
def test_every_form_of_the_report_is_whole(make_study, fill, kind, name, simulated):
    rule = {"name": "odd", "all": [{"measure": "spammer_score", "below": 0.1}]}
    study = make_study(kind=kind, items=12, exclusion_rules=[rule])
    fill(study, (LIKERT if kind == "likert" else PRESENCE)[name], simulated=simulated)
    data = load(study)
    report = report_of(data, include_simulated=True)
    written = [formats.as_json(report), formats.as_csv(report), text.as_text(report), as_html(report)]
    written += [formats.table_csv(report, table.rows) for table in tables(report)]
    written += [latex.as_latex(report, table) for table in tables(report)]
    # JSON has null where a number is undefined, with the reason beside it; drawings in the HTML are not text.
    for content in written:
        assert not NAN.search(re.sub(r"data:[^\"]*|null", "", content)), name
    assert len(hits(data)) <= len(data.raters)


def test_the_pdf_of_a_study_without_numbers(make_study, fill):
    study = make_study(items=12)
    fill(study, LIKERT["all dropped"])
    assert as_pdf(report_of(load(study))).startswith(b"%PDF")
