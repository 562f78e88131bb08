"""Tables for LaTeX: booktabs, numbers to the right, everything escaped that TeX would read as its own."""

from __future__ import annotations

from annotation_site.reports.report import Report
from annotation_site.reports.report_tables import ReportTable

ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def as_latex(report: Report, table: ReportTable) -> str:
    """One ``table`` environment; put ``\\usepackage{booktabs}`` into the preamble."""
    lines = [
        f"% {one_line(report.title)} ({report.study}), seed {report.seed}. Needs \\usepackage{{booktabs}}.",
        r"\begin{table}",
        r"\centering",
        f"\\caption{{{escaped(f'{table.title} ({report.title}). {table.note}'.strip())}}}",
        f"\\label{{tab:{report.study}-{table.name}}}",
        f"\\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}",
        r"\toprule",
        _line(table.heads),
        r"\midrule",
        *(_line(cells) for cells in table.cells()),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _line(cells: list[str]) -> str:
    return " & ".join(escaped(cell) for cell in cells) + r" \\"


def escaped(text: str) -> str:
    """Text that TeX prints as it stands."""
    return "".join(ESCAPES.get(letter, letter) for letter in one_line(text))


def one_line(text: str) -> str:
    return " ".join(text.split())
