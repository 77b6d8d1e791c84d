"""Opening an account: name, address and password, then the code from the mail."""

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import forms
from accounts.permissions import Permission, requires
from accounts.services import sign_in as services
from accounts.services.sign_in import Step
from accounts.steps import next_page, wanted, with_next
from accounts.views.frames import already_in, code_page
from core.forms import refusals_on
from core.http import Request
from core.pages import page


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def sign_up(request: Request) -> HttpResponse:
    """Ask for an account. The answer is the same for an address that has one already."""
    if elsewhere := already_in(request):
        return elsewhere
    form = forms.SignUp(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            step = services.sign_up(
                request=request,
                now=now(),
                sign_in_link=request.build_absolute_uri(reverse("sign_in")),
                **form.cleaned_data,
            )
            return redirect(next_page(step, wanted(request)))
    return page(request, "accounts/sign_up.html", {"form": form, "next": wanted(request)})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def code(request: Request) -> HttpResponse:
    """Type the code from the mail, which opens the account."""
    if elsewhere := already_in(request):
        return elsewhere
    waiting = services.half_way(request, Step.CONFIRM_EMAIL)
    form = forms.Code(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            step = services.confirm(request=request, now=now(), **form.cleaned_data)
            return redirect(next_page(step, wanted(request)))
    return _code_page(request, form, waiting)


@require_POST
@requires(Permission.PUBLIC)
def again(request: Request) -> HttpResponse:
    """Send another code; the earlier one stops counting."""
    waiting = services.half_way(request, Step.CONFIRM_EMAIL)
    form = forms.Again(request.POST)
    if form.is_valid():
        with refusals_on(form):
            services.send_confirmation_again(request=request, now=now())
            messages.success(request, _("A new code is on its way."))
            return redirect(with_next("sign_up_code", wanted(request)))
    return _code_page(request, form, waiting)


def _code_page(request: Request, form: Form, waiting: services.HalfWay) -> HttpResponse:
    return code_page(
        request,
        "accounts/sign_up_code.html",
        form=form,
        email=waiting.email,
        enter="sign_up_code",
        again="sign_up_code_again",
    )
