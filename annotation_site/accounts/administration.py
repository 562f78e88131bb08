"""The administration at /admin/: for admins alone, who come in by the site's own sign-in, second factor and all."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.sites import UnfoldAdminSite

from annotation_site.accounts.roles import is_admin


class Administration(UnfoldAdminSite):
    """Its pages show rows of every study, so nobody enters who may not see every study."""

    def has_permission(self, request: HttpRequest) -> bool:
        return is_admin(request.user)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """On to the sign-in; those who are signed in and no admins are told so."""
        wanted = request.GET.get("next", "") or request.POST.get("next", "") or self._index()
        if self.has_permission(request):
            return HttpResponseRedirect(self._index())
        if request.user.is_authenticated:
            raise PermissionDenied(_("The administration is for admins: sign in as one, or ask one."))
        return redirect_to_login(wanted)

    def _index(self) -> str:
        return reverse(f"{self.name}:index")
