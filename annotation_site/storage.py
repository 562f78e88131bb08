"""Static files as production serves them, and what is said when stored files cannot be reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Compressed, under names that change with their content, also where one script imports another."""

    support_js_module_import_aggregation = True

    def post_process(self, paths: dict[str, Any], *args: Any, **options: Any) -> Iterator[Any]:
        # Of htmx no page loads an extension, and one of them speaks of importing a file that is not there.
        wanted = {name: found for name, found in paths.items() if not name.startswith("django_htmx/ext/")}
        yield from super().post_process(wanted, *args, **options)


class StorageUnavailable(OSError):
    """The object store does not answer, or does not let us in; the message says what to do, and names no key."""
