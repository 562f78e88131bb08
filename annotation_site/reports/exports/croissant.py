"""Croissant 1.0 metadata (MLCommons): the tables as record sets that tools can load without reading the texts.

Source: "Croissant Format Specification", version 1.0, http://mlcommons.org/croissant/1.0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from annotation_site.reports.exports.columns import TABLES, Field
from annotation_site.reports.exports.folders import file_sha256

# The context that the specification prescribes.
PLAIN_TERMS = """citeAs column equivalentProperty extract field fileObject fileProperty fileSet format includes
    isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate separator
    source subField transform"""
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{name: f"cr:{name}" for name in PLAIN_TERMS.split()},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}
DATA_TYPES = {"int": "sc:Integer", "float": "sc:Float", "bool": "sc:Boolean", "text": "sc:Text", "time": "sc:DateTime"}
PARQUET = "application/x-parquet"
KEYS = {"items": ["item"], "raters": ["rater"]}


def croissant(folder: Path, facts: dict[str, Any], *, description: str, licence: str, url: str) -> dict[str, Any]:
    """The metadata of the tables that lie in ``folder``; no ``url`` and no licence where they are empty."""
    moments, named = facts["moments"], facts["facts"]
    published = moments["closed_at"] or moments["opened_at"] or moments["created_at"]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": named["slug"],
        "description": description,
        "version": "1.0.0",
        "datePublished": published[:10],
        **({"url": url} if url else {}),
        "citeAs": f"{named['title']}. Human judgements collected with Attest.",
        **({"license": licence} if licence else {}),
        "distribution": [_file(folder, table) for table in TABLES],
        "recordSet": [_record_set(table, fields) for table, fields in TABLES.items()],
    }


def _file(folder: Path, table: str) -> dict[str, Any]:
    name = f"data/{table}.parquet"
    return {
        "@type": "cr:FileObject",
        "@id": f"{table}.parquet",
        "name": f"{table}.parquet",
        "contentUrl": name,
        "encodingFormat": PARQUET,
        "sha256": file_sha256(folder / name),
    }


def _record_set(table: str, fields: tuple[Field, ...]) -> dict[str, Any]:
    keys = [{"@id": f"{table}/{name}"} for name in KEYS.get(table, [])]
    return {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        **({"key": keys[0]} if keys else {}),
        "field": [_field(table, field) for field in fields],
    }


def _field(table: str, field: Field) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{table}/{field.name}",
        "name": field.name,
        "description": field.meaning,
        "dataType": DATA_TYPES[field.type],
        "source": {"fileObject": {"@id": f"{table}.parquet"}, "extract": {"column": field.name}},
    }
