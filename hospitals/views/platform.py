"""Where work starts on the portal."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, granted, lacks_second_factor, requires
from core.http import Request


@require_safe
@requires(Permission.SIGNED_IN)
def start(request: Request) -> HttpResponse:
    """Where signing in leads on the portal."""
    if lacks_second_factor(request, request.user):
        return redirect("two_factor")
    return redirect("queue" if granted(request, request.user, Permission.HOSPITAL_REVIEW) else "home")
