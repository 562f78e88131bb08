"""A registration to take away: the very text that was hashed, the same in words, and their checksums, in one zip."""

from __future__ import annotations

from annotation_site.reports.exports.archives import zipped
from annotation_site.reports.exports.folders import CHECKSUMS
from annotation_site.reports.preregistration.canonical import sha256
from annotation_site.reports.preregistration.words import in_words
from annotation_site.studies.models import Registration


def name_of(registration: Registration) -> str:
    """How its files are called, without the ending."""
    return f"{registration.study.slug}-preregistration-{registration.number}"


def texts(registration: Registration) -> dict[str, str]:
    """What was registered and the same in words, by file name."""
    name = name_of(registration)
    return {f"{name}.json": registration.document, f"{name}.md": in_words(registration)}


def checksums(found: dict[str, str]) -> str:
    """As ``sha256sum --check CHECKSUMS`` reads it."""
    return "".join(f"{sha256(text)}  {name}\n" for name, text in found.items())


def as_zip(registration: Registration) -> bytes:
    """The texts and their checksums in one archive."""
    found = texts(registration)
    with zipped({**found, CHECKSUMS: checksums(found)}) as archive:
        return archive.read()
