"""The waitlist: joining it, one's own entries, answering an offer, and who waits, for the front desk."""

from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.forms import Again
from accounts.models import User
from accounts.permissions import Permission, requires
from appointments.forms.waiting import Answer, Join
from appointments.models import WaitlistEntry
from appointments.models.waiting import WaitlistEntries
from appointments.services import paying, tokens, waiting
from appointments.services.tokens import Purpose
from core.forms import refusals_on
from core.http import HospitalRequest
from core.menus import Item
from core.pages import divide, page
from hospitals.models import BookingPolicy, Doctor

_OPEN, _CLOSED = "open", "closed"


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.OWN_ACCOUNT)
def join(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Wait for an earlier time of this doctor."""
    bookable = Doctor.objects.bookable().select_related("user", "schedule")
    doctor = get_object_or_404(bookable, code=code)
    form = Join(request.POST if request.method == "POST" else None, user=request.user, doctor=doctor)
    if form.is_valid():
        with refusals_on(form):
            waiting.join(hospital=request.hospital, doctor=doctor, by=request.user, now=now(), **form.asked)
            messages.success(request, _("You are on the waitlist. We write to you as soon as a time is free."))
            return redirect("waitlist")
    return page(request, "waiting/join.html", {"doctor": doctor, "form": form})


@require_safe
@requires(Permission.OWN_ACCOUNT)
def index(request: HospitalRequest) -> HttpResponse:
    """What one waits for here, oneself and one's family."""
    return _index(request)


@require_POST
@requires(Permission.OWN_ACCOUNT)
def withdraw(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Wait no longer."""
    entry = get_object_or_404(WaitlistEntry.objects.of(request.user), code=code)
    form = Again(request.POST)
    with refusals_on(form):
        waiting.withdraw(entry=entry, by=request.user)
    if not form.is_valid():
        return _index(request, form)
    messages.success(request, _("You are off the waitlist."))
    return redirect("waitlist")


def _index(request: HospitalRequest, form: Again | None = None) -> HttpResponse:
    rows = divide(request, WaitlistEntry.objects.of(request.user).with_people().newest_first())
    for row in rows:
        row.is_offered = waiting.is_offer_open(row, now())  # type: ignore[attr-defined]
        row.token = tokens.make(purpose=Purpose.OFFER, code=row.code)  # type: ignore[attr-defined]
        row.present = waiting.present_visit(row)  # type: ignore[attr-defined]
    return page(request, "waiting/index.html", {"rows": rows, "form": form}, part="rows")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PUBLIC)
def offer(request: HospitalRequest, token: str) -> HttpResponse:
    """The time that is held for somebody, by the link in their message. Looking changes nothing."""
    entry = waiting.behind(token=token)
    form = Answer(request.POST if request.method == "POST" else None)
    if form.is_valid():
        with refusals_on(form):
            waiting.answer(
                hospital=request.hospital, entry=entry, is_wanted=form.is_wanted, by=_oneself(request, entry), now=now()
            )
            return redirect("waitlist_offer", token)
    if form.is_bound:  # refused: as it is now
        entry = waiting.behind(token=token)
    context = {
        "entry": entry,
        "is_open": waiting.is_offer_open(entry, now()),
        "present": waiting.present_visit(entry),
        "is_paid_first": entry.offer is not None
        and paying.is_paid_first(policy=BookingPolicy.objects.get(), kind=entry.offer.kind, fee=entry.offer.fee),
        "form": form,
    }
    response = page(request, "waiting/offer.html", context)
    response["X-Robots-Tag"] = "noindex"
    return response


def _oneself(request: HospitalRequest, entry: WaitlistEntry) -> User | None:
    """Who answers, if they are signed in as who waits; the link alone is enough."""
    return request.user if request.user.pk == entry.patient.user_id else None


@require_safe
@requires(Permission.APPOINTMENT_DESK)
def admin(request: HospitalRequest) -> HttpResponse:
    """Who waits for whom, by state (?state=), doctor (?doctor=) and words (?q=)."""
    return _admin(request)


@require_POST
@requires(Permission.APPOINTMENT_DESK)
def remove(request: HospitalRequest, code: UUID) -> HttpResponse:
    """Take somebody off the waitlist who asks the front desk for it."""
    entry = get_object_or_404(WaitlistEntry.objects.with_people(), code=code)
    form = Again(request.POST)
    with refusals_on(form):
        waiting.withdraw(entry=entry, by=request.user)
    if not form.is_valid():
        return _admin(request, form)
    messages.success(request, _("%(name)s is off the waitlist.") % {"name": entry.patient.name})
    return redirect("waitlist_admin")


def _admin(request: HospitalRequest, form: Again | None = None) -> HttpResponse:
    words = request.GET.get("q", "").strip()
    state = _CLOSED if request.GET.get("state") == _CLOSED else _OPEN
    found = WaitlistEntry.objects.matching(words)
    in_state = (found.open() if state == _OPEN else found.closed()).with_people()
    doctor = _doctor(request.GET.get("doctor", ""))
    shown = in_state.filter(doctor=doctor) if doctor else in_state
    rows = divide(request, shown.in_fair_order() if state == _OPEN else shown.newest_first())
    for row in rows:
        row.present = waiting.present_visit(row)  # type: ignore[attr-defined]
    return page(
        request,
        "waiting/admin.html",
        {
            "rows": rows,
            **_filters(found, words, state, doctor),
            "doctor": doctor,
            "words": words,
            "state": state,
            "form": form,
        },
        part="results",
    )


def _doctor(code: str) -> Doctor | None:
    try:
        return Doctor.objects.select_related("user").filter(code=UUID(code)).first()
    except ValueError:
        return None


def _filters(found: WaitlistEntries, words: str, state: str, doctor: Doctor | None) -> dict[str, list[Item]]:
    """The tabs and the doctors, with how many wait behind each."""

    def item(label: str, to_state: str, to_doctor: Doctor | None, count: int) -> Item:
        asked = {"state": "" if to_state == _OPEN else to_state, "q": words}
        asked["doctor"] = str(to_doctor.code) if to_doctor else ""
        return Item(
            label=label,
            url="?" + urlencode({name: value for name, value in asked.items() if value}),
            icon="",
            current=(to_state, to_doctor) == (state, doctor),
            count=count,
        )

    by_state = {_OPEN: found.open(), _CLOSED: found.closed()}
    counts = {one: dict(rows.values_list("doctor").annotate(Count("pk")).order_by()) for one, rows in by_state.items()}
    everybody = Doctor.objects.select_related("user").filter(pk__in=counts[state])
    shown = sorted({*everybody, *([doctor] if doctor else [])}, key=lambda one: one.name)
    labels = {_OPEN: _("Waiting"), _CLOSED: _("Past")}
    return {
        "tabs": [
            item(label, one, doctor, counts[one].get(doctor.pk, 0) if doctor else sum(counts[one].values()))
            for one, label in labels.items()
        ],
        "doctors": [
            item(_("Every doctor"), state, None, sum(counts[state].values())),
            *(item(one.name, state, one, counts[state].get(one.pk, 0)) for one in shown),
        ],
    }
