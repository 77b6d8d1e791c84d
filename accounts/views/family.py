"""One's family: the people for whom one books."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms.family import FamilyForm
from accounts.models import FamilyMember
from accounts.permissions import Permission, requires
from accounts.services import family as services
from accounts.views.frames import account_page
from core.forms import refusals_on
from core.http import Request

_form_door = require_http_methods(["GET", "HEAD", "POST"])


@_form_door
@requires(Permission.OWN_ACCOUNT)
def index(request: Request) -> HttpResponse:
    """Everybody one looks after, and a form to add somebody."""
    form = FamilyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            member = services.add(user=request.user, by=request.user, **form.cleaned_data)
            messages.success(request, _("You can now book for %(name)s.") % {"name": member.name})
            return redirect("family")
    rows = list(FamilyMember.objects.of(request.user))
    return account_page(
        request, "accounts/family.html", {"form": form, "rows": rows, "is_full": len(rows) >= services.LARGEST}
    )


@_form_door
@requires(Permission.OWN_ACCOUNT)
def edit(request: Request, code: UUID) -> HttpResponse:
    """Correct what is said of somebody."""
    member = _find(request, code)
    present = {name: getattr(member, name) for name in FamilyForm.base_fields}
    form = FamilyForm(request.POST if request.method == "POST" else None, initial=present)
    if form.is_valid():
        with refusals_on(form):
            services.change(member=member, by=request.user, **form.cleaned_data)
            messages.success(request, _("What you said of %(name)s is saved.") % {"name": member.name})
            return redirect("family")
    return account_page(request, "accounts/family_edit.html", {"form": form, "member": member})


@require_POST
@requires(Permission.OWN_ACCOUNT)
def remove(request: Request, code: UUID) -> HttpResponse:
    """Somebody for whom one does not book any more."""
    member = _find(request, code)
    services.remove(member=member, by=request.user)
    messages.success(request, _("%(name)s is no longer in your family here.") % {"name": member.name})
    return redirect("family")


def _find(request: Request, code: UUID) -> FamilyMember:
    return get_object_or_404(FamilyMember.objects.of(request.user), code=code)
