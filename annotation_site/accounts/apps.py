from django.apps import AppConfig
from django.contrib.admin import apps


class AccountsConfig(AppConfig):
    name = "annotation_site.accounts"


class AdministrationConfig(apps.AdminConfig):
    """Django's admin, with the site that only admins enter."""

    default = False
    default_site = "annotation_site.accounts.administration.Administration"
