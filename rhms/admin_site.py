"""Django's admin, for superadmins on the portal who have signed in with what is required of them."""

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest


class Admin(AdminConfig):
    """The app, with our site."""

    default_site = "rhms.admin_site.Site"


class Site(AdminSite):
    """Django's site asks only whether somebody is staff; ours asks what every page of ours asks."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person is a superadmin here, second factor included."""
        from accounts.permissions import Role, role_of

        return role_of(request, request.user) is Role.SUPERADMIN
