"""Static files as production serves them, and what is raised when stored files cannot be reached, written or trusted.

::

    OSError
        StorageUnusable           nothing can be written or read there at present; whoever repairs it loses nothing
            StorageFull           there is no room
            StorageUnavailable    the object store does not answer, or does not let us in
        FileDamaged               a stored file is not the one that was written

The messages name the place, the reason and what to do, and no key.
"""

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


class StorageUnusable(OSError):
    """Files cannot be written or read at present."""


class StorageFull(StorageUnusable):
    """There is no room for a file."""


class StorageUnavailable(StorageUnusable):
    """The object store does not answer, or does not let us in."""


class FileDamaged(OSError):
    """A stored file is not the one that its row tells of."""
