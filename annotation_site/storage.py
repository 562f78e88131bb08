"""Static files as production serves them."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Compressed, under names that change with their content, also where one script imports another."""

    support_js_module_import_aggregation = True
