"""How staff come in for the first time."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import Permission, requires
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import page
from hospitals.forms.office import FirstPassword, PresentPassword
from hospitals.services import invitations


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def accept(request: HospitalRequest, token: str) -> HttpResponse:
    """Choose a password, or prove the one the person already has, and come in. The link works once."""
    invitation = invitations.behind(token=token, now=timezone.now())
    person = invitation.staff.user
    is_known = person.has_usable_password()
    form_of = PresentPassword if is_known else FirstPassword
    form = form_of(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            invitations.accept(request=request, token=token, now=timezone.now(), **form.cleaned_data)
            messages.success(request, _("Welcome. You are signed in."))
            return redirect("start")
    return page(
        request,
        "invitation/accept.html",
        {"form": form, "invitation": invitation, "person": person, "is_known": is_known},
    )
