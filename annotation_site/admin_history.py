"""What the admin may look at and never change."""

from __future__ import annotations

from django.http import HttpRequest


class ReadOnlyAdmin:
    """For rows that are facts: they are listed, searched and opened, and neither added, edited nor deleted."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
