"""Finding a doctor in any hospital."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django.core.paginator import Page
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.permissions import Permission, requires
from core.http import Request
from core.languages import Language
from core.menus import Item
from core.money import shown
from core.pages import MOST, PER_PAGE, LongPaginator, page
from core.prepared import given, prepared
from core.visits import VisitKind
from directory import services as directory
from directory.models import DoctorListing, Wanted
from directory.specialties import BY_SLUG
from hospitals.forms.search import DoctorSearch
from hospitals.views.doctor_cards import Card, cards_of

_LOW_FEE = 500


@require_safe
@requires(Permission.PUBLIC)
def doctor_search(request: Request) -> HttpResponse:
    """Doctors of all open hospitals, by words and filters; who is free first comes first."""
    search = DoctorSearch(request.GET, cities=directory.cities())
    wanted = search.wanted()
    results, instead = _found(request, wanted), ""
    if wanted.words and not results.object_list:
        instead = directory.meant(wanted.words)
        if instead:
            results = _found(request, replace(wanted, words=instead))
    cards, chips = cards_of(request, results.object_list, wanted, now()), _chips(search)
    return page(
        request,
        "portal/doctors.html",
        {
            "search": search,
            "words": wanted.words,
            "instead": instead if cards else "",
            "instead_url": _address(search, q=instead),
            "anywhere_url": _address(search, **{name: "" for name in search.fields if name != "q"}),
            "is_filtered": any(value for name, value in search.cleaned_data.items() if name != "q"),
            "title": _title(wanted),
            "results": results,
            "cards": cards,
            "line": _line(results, cards),
            "chosen": _chosen(search, results, chips),
            "chips": chips,
            "is_narrowed": any(search.cleaned_data.values()),
        },
        part="results",
    )


def _found(request: Request, wanted: Wanted) -> Page[Any]:
    """The page that is asked for of the doctors who are what somebody wants."""
    rows = DoctorListing.objects.published().wanted(wanted).earliest_first(wanted.kind)
    return LongPaginator(rows, PER_PAGE, show=lambda keys: _listed(keys=keys)).get_page(request.GET.get("page"))


@prepared
def _listed() -> QuerySet[DoctorListing]:
    keys = RawSQL("SELECT unnest(%s)", [given("keys")])
    return DoctorListing.objects.published().for_cards().filter(pk__in=keys)


def _title(wanted: Wanted) -> str:
    """What the page is about, for the title: filters first, as they are shared most."""
    if wanted.specialty and wanted.city:
        name = BY_SLUG[wanted.specialty].name
        return _("%(specialty)s in %(city)s, doctors") % {"specialty": name, "city": wanted.city}
    if wanted.specialty:
        return _("%(specialty)s, doctors") % {"specialty": BY_SLUG[wanted.specialty].name}
    if wanted.words:
        return _("“%(words)s”, doctors") % {"words": wanted.words}
    if wanted.city:
        return _("Doctors in %(city)s") % {"city": wanted.city}
    return _("Find a doctor")


def _line(results: Page[Any], cards: list[Card]) -> str:
    """How many there are, and when the first of them is free."""
    paginator = results.paginator
    assert isinstance(paginator, LongPaginator)  # noqa: S101  (see _found)
    n, earliest = paginator.count, cards[0].earliest if cards and results.number == 1 else None
    words = {"n": f"{MOST:,}" if paginator.is_cut else n}
    if earliest is None:
        if paginator.is_cut:
            return _("More than %(n)s doctors") % words
        return ngettext("%(n)s doctor", "%(n)s doctors", n) % words
    words |= {"time": f"{earliest:%H:%M}", "day": date_format(earliest, "D j M")}
    days = (earliest.date() - now().astimezone(earliest.tzinfo).date()).days
    if paginator.is_cut:
        sentences = [
            _("More than %(n)s doctors, earliest today at %(time)s"),
            _("More than %(n)s doctors, earliest tomorrow at %(time)s"),
            _("More than %(n)s doctors, earliest %(day)s at %(time)s"),
        ]
    else:
        sentences = [
            ngettext("%(n)s doctor, earliest today at %(time)s", "%(n)s doctors, earliest today at %(time)s", n),
            ngettext("%(n)s doctor, earliest tomorrow at %(time)s", "%(n)s doctors, earliest tomorrow at %(time)s", n),
            ngettext("%(n)s doctor, earliest %(day)s at %(time)s", "%(n)s doctors, earliest %(day)s at %(time)s", n),
        ]
    return sentences[min(days, 2)] % words


# --- Filters as links ------------------------------------------------------------------------------------------------


def _address(search: DoctorSearch, **changes: str) -> str:
    """The address of the same search with some filters changed, "" to leave one out."""
    kept = {name: value for name, value in {**search.asked, **changes}.items() if value}
    return f"{_path()}?{urlencode(kept)}" if kept else _path()


@cache
def _path() -> str:
    """Found once: a page has some fifteen such addresses."""
    return reverse("doctor_search")


def _chips(search: DoctorSearch) -> list[Item]:
    """What many people filter by, to turn on and off."""
    today = localdate()
    choices = [
        (_("Free today"), "day", today.isoformat()),
        (_("Free tomorrow"), "day", (today + timedelta(days=1)).isoformat()),
        *((str(kind.label), "kind", str(kind)) for kind in VisitKind),
        (_("Up to %(fee)s") % {"fee": shown(Decimal(_LOW_FEE))}, "fee_to", str(_LOW_FEE)),
    ]

    def item(label: str, name: str, value: str) -> Item:
        is_on = str(search.data.get(name, "")) == value
        return Item(label, _address(search, **{name: "" if is_on else value}), icon="", current=is_on)

    return sorted((item(*choice) for choice in choices), key=lambda chip: not chip.current)


def _chosen(search: DoctorSearch, results: Page[Any], chips: list[Item]) -> list[Item]:
    """The other filters that are set, each a link that takes it off."""
    quick = {chip.url for chip in chips if chip.current}
    labels = {
        name: _label(name, value, results) for name, value in search.cleaned_data.items() if value and name != "q"
    }
    items = [Item(label, _address(search, **{name: ""}), icon="", current=True) for name, label in labels.items()]
    return [item for item in items if item.url not in quick]


def _label(name: str, value: Any, results: Page[Any]) -> str:
    """A filter in words."""
    if name == "hospital":
        return next((str(doctor.hospital) for doctor in results.object_list), value)
    return _IN_WORDS[name](value) if name in _IN_WORDS else str(value)


_IN_WORDS: dict[str, Callable[[Any], str]] = {
    "specialty": lambda slug: str(BY_SLUG[slug].name),
    "language": lambda code: _("Speaks %(language)s") % {"language": Language(code).label},
    "kind": lambda kind: str(VisitKind(kind).label),
    "day": lambda day: _("Free on %(day)s") % {"day": date_format(day, "D j M")},
    "fee_from": lambda fee: _("From %(fee)s") % {"fee": shown(fee)},
    "fee_to": lambda fee: _("Up to %(fee)s") % {"fee": shown(fee)},
    "experience": lambda n: ngettext("At least %(n)s year", "At least %(n)s years", n) % {"n": n},
}
