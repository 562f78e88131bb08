"""Static files as production serves them, and what is said when stored files cannot be reached."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Compressed, under names that change with their content, also where one script imports another."""

    support_js_module_import_aggregation = True


class StorageUnavailable(OSError):
    """The object store does not answer, or does not let us in; the message says what to do, and names no key."""
