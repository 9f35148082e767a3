"""Django applications of teams: its tables, and the administration site of the portal."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps  # not the class: Django would see a second default here


class TeamsConfig(AppConfig):
    """Tenancy and access."""

    name = "teams"
    verbose_name = "Organizations and access"
    default = True


class PortalAdminConfig(admin_apps.AdminConfig):
    """Django's administration with the portal's own site. Stands in INSTALLED_APPS for `django.contrib.admin`."""

    default = False
    default_site = "teams.site.PortalAdminSite"
