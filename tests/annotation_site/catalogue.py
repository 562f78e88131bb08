"""The strings that raters read, and their translations: extracted, merged and compiled without gettext's programs.

`python tests/annotation_site/catalogue.py` writes what is new into each .po file, without a translation, and compiles
the .mo files; the test of the catalogue then names what is still to be translated.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
LOCALES = ROOT / "annotation_site" / "locale"
LANGUAGES = ("ko",)
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
# The administration, the reports themselves and what commands print are in English alone.
FOLDERS = ("account", "alerts", "mfa", "operations", "payments", "raters", "rating", "recruitment")
FOLDERS += ("research", "studies", "webhooks")
TEMPLATES = (
    "templates/*.html",
    "templates/reports/index.html",
    "templates/reports/_follow_line.html",
    *(f"templates/{name}/**/*.html" for name in FOLDERS),
)
MODULES = (
    "annotation_site/accounts/*.py",
    "annotation_site/alerts/*.py",
    "annotation_site/operations/own_data_views.py",
    "annotation_site/operations/tour.py",
    "annotation_site/operations/tour_views.py",
    "annotation_site/payments/*.py",
    "annotation_site/payments/templatetags/*.py",
    "annotation_site/raters/*.py",
    "annotation_site/raters/sources/*.py",
    "annotation_site/rating/*.py",
    "annotation_site/rating/assignment/*.py",
    "annotation_site/recruitment/*.py",
    "annotation_site/reports/preregistration/*.py",
    "annotation_site/research/*.py",
    "annotation_site/research/steps/*.py",
    "annotation_site/stimuli/known_models.py",
    "annotation_site/stimuli/views.py",
    "annotation_site/studies/about.py",
    "annotation_site/studies/access.py",
    "annotation_site/studies/consent_texts.py",
    "annotation_site/studies/copying.py",
    "annotation_site/studies/importing/*.py",
    "annotation_site/studies/members.py",
    "annotation_site/studies/models.py",
    "annotation_site/studies/orders.py",
    "annotation_site/studies/questions.py",
    "annotation_site/studies/texts.py",
    "annotation_site/studies/views.py",
    "annotation_site/webhooks/*.py",
)
STAFF = re.compile(r".*admin.*\.py|raters/models\.py|rating/models\.py")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def sources() -> Iterator[tuple[str, str]]:
    """Path and Python of everything that is extracted; templates as Django itself reads them."""
    for pattern in TEMPLATES:
        for path in sorted(ROOT.glob(pattern)):
            # What is no string comes out as words without meaning, whose indentation Python would object to.
            lines = templatize(path.read_text()).splitlines()
            yield str(path.relative_to(ROOT)), "\n".join(line.strip() for line in lines)
    for pattern in MODULES:
        for path in sorted(ROOT.glob(pattern)):
            name = str(path.relative_to(ROOT))
            if not STAFF.fullmatch(name.removeprefix("annotation_site/")):
                yield name, path.read_text()


def template() -> Catalog:
    """Every string that is to be translated, with the files that hold it."""
    catalogue = Catalog(charset="utf-8")
    for name, code in sources():
        found = extract("python", io.BytesIO(code.encode()), keywords=KEYWORDS, options={"encoding": "utf-8"})
        for _, message, _, context in found:
            catalogue.add(message, locations=[(name, None)], context=context, flags=_flags(message))
    return catalogue


def _flags(message: str | tuple[str, ...]) -> set[str]:
    parts = (message,) if isinstance(message, str) else message
    return {"python-format"} if any("%(" in part for part in parts) else set()


def paths(language: str) -> tuple[Path, Path]:
    folder = LOCALES / language / "LC_MESSAGES"
    return folder / "django.po", folder / "django.mo"


def translated(language: str) -> Catalog:
    with paths(language)[0].open("rb") as file:
        catalogue = pofile.read_po(file, locale=language)
    # The same strings give the same files, whenever and by whomever they are written.
    catalogue.creation_date = catalogue.revision_date = WRITTEN
    catalogue.last_translator = catalogue.language_team = catalogue.msgid_bugs_address = "Attest"
    return catalogue


def compiled(catalogue: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def problems(wanted: Catalog, catalogue: Catalog) -> list[str]:
    """What is wrong with a translation: strings that are missing, fuzzy, stale, or lost a placeholder or a tag."""
    found = [f"missing: {_name(message)}" for message in _texts(wanted) if not _complete(_same(catalogue, message))]
    found += [f"stale: {_name(message)}" for message in _texts(catalogue) if _same(wanted, message) is None]
    for message in _texts(catalogue):
        if message.fuzzy:
            found.append(f"fuzzy: {_name(message)}")
        elif _complete(message) and _marks(message.string) != _marks(message.id):
            found.append(f"placeholders or tags differ: {_name(message)}")
    return found


def update(language: str) -> list[str]:
    """Merge the strings of today into a language's files; what is still wrong with them."""
    source, target = paths(language)
    wanted, catalogue = template(), translated(language)
    catalogue.update(wanted, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.creation_date = WRITTEN
    with source.open("wb") as file:
        pofile.write_po(file, catalogue, width=110, ignore_obsolete=True)
    target.write_bytes(compiled(translated(language)))
    return problems(wanted, catalogue)


def _texts(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def _same(catalogue: Catalog, message: Message) -> Message | None:
    return catalogue.get(message.id, message.context)


def _name(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _complete(message: Message | None) -> bool:
    string = message.string if message else ""
    return bool(string) and (isinstance(string, str) or all(string))


def _marks(text: str | tuple[str, ...]) -> Counter[str]:
    # Of a plural the last form, which has all of its placeholders.
    return Counter(re.findall(r"%\(\w+\)s|%%|</?\w+[^>]*>", text if isinstance(text, str) else text[-1]))


if __name__ == "__main__":
    for language in LANGUAGES:
        for problem in update(language):
            print(f"{language}: {problem}")  # noqa: T201
