"""How staff come in for the first time."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.permissions import Permission, requires
from accounts.steps import next_page
from core.forms import refusals_on
from core.http import HospitalRequest
from core.pages import page
from hospitals.forms.office import FirstPassword, NoPassword, PresentPassword
from hospitals.services import invitations


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def accept(request: HospitalRequest, token: str) -> HttpResponse:
    """Choose a password, or prove the one the person already has, and come in. The link works once.

    Somebody who has just signed in here as this very person only presses the button.
    """
    invitation = invitations.behind(token=token, now=timezone.now())
    person = invitation.staff.user
    is_in = invitations.is_signed_in_freshly(request=request, person=person, now=timezone.now())
    is_known = person.has_own_password
    form_of = NoPassword if is_in else PresentPassword if is_known else FirstPassword
    form = form_of(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            step = invitations.accept(request=request, token=token, now=timezone.now(), **form.cleaned_data)
            messages.success(request, _("Welcome. You have accepted the invitation."))
            return redirect(next_page(step))
    return page(
        request,
        "invitation/accept.html",
        {"form": form, "invitation": invitation, "person": person, "is_known": is_known, "is_in": is_in},
    )
