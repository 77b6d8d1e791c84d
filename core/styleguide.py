"""What the style guide shows: every component in its states, with made-up people. Nothing here is stored."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.paginator import Paginator

from core import colour
from core.forms import KeptImageInput


@dataclass(frozen=True)
class Link:
    """An entry of a menu, of tabs or of chips."""

    label: str
    url: str = "#"
    icon: str = ""
    current: bool = False
    count: int | None = None


USAGE = {
    "icon": '{% icon "search" %}   {% icon "search" "s" %}   {% icon item.icon %}   <c-icon name="search" size="l" />',
    "badge": '{% badge hospital.get_status_display "ok" %}   <c-badge tone="warn">In review</c-badge>\n'
    'Tones: "" ok warn bad info accent',
    "avatar": '<c-avatar :name="person.name" />   size="s|l"   tone="a|b|c|d" (else chosen by the name)',
    "logo": '<c-logo :name="hospital.name" :src="hospital.logo_url" size="s|l|xl" :portal="brand.is_portal" />',
    "button": '<button class="btn primary">Save changes</button>   <a class="btn" href="...">Cancel</a>\n'
    'Classes: primary, ghost, danger, s, block, icon-only (with aria-label)',
    "button_form": '<c-button_form action="{% url \'...\' %}" label="Publish" tone="primary" icon="send" hint="Cardiology" />\n'
    "A POST form of one button, with its CSRF token. `hint` is added for screen readers; `name` and `value` are sent.",
    "confirm": '<c-confirm id="reject" label="Reject" title="Reject Lakeside Hospital?" text="..." '
    'action="{% url \'...\' %}"\n  confirm="Reject hospital" reason="Reason" reason_hint="..." '
    ':reason_error="form.reason.errors.0" :reason_value="form.reason.value" />\n'
    "A dialog; without JavaScript the same box opens in the page. With `reason_error` it is open when the page comes back.",
    "card": '<c-card title="Departments" id="departments" link="{% url \'...\' %}" link_text="All departments">...</c-card>\n'
    ':padded="False" for lists and tables. Slots: head (beside the title), foot.',
    "page_head": '<c-page_head title="Cardiology" text="..." back="{% url \'...\' %}" back_text="Departments" badge="Live" '
    'badge_tone="ok">\n  <c-slot name="actions"><a class="btn primary" href="...">Edit</a></c-slot>\n</c-page_head>\n'
    "Slots: lead (logo or avatar), actions. The default slot stands under the text.",
    "form": '<c-form :form="form" submit="Save changes" cancel="{% url \'...\' %}" />\n'
    'With own layout: <c-form :form="form" submit="..."><c-error_summary :form="form" />{{ form.name.as_field_group }}...</c-form>\n'
    'Radios are segments; attrs={"class": "choices"} makes a list. Textarea(attrs={"maxlength": 500, "data-count": 500}) '
    "counts.\nforms.TextInput of input_type color: widgets.ColorInput. Passwords get a Show button.",
    "search": '<c-search label="Search hospitals" :value="request.GET.q" target="#results" :shortcut="True" />\n'
    "Keeps the other parameters of the address. With `target`, htmx swaps while one types; the view answers with the part.",
    "chips": '<c-chips label="Filter by city" :items="cities" />   items: label, url, current, count',
    "tabs": '<c-tabs label="Hospitals by state" :items="tabs" />   <c-segments label="Period" :items="periods" />',
    "table": '<div class="card"><c-table caption="Hospitals">\n  <c-slot name="head"><c-th sort="name">Name</c-th>...</c-slot>\n'
    '  <tr><td><a href="...">Lakeside</a></td><td data-label="City">Kochi</td><td class="end">...</td></tr>\n</c-table></div>\n'
    'Under 48em rows become cards: give each cell but the first a data-label. Numbers: class="n".',
    "pagination": '<c-pagination :page="page" target="#results" />   page: a django.core.paginator.Page',
    "kv": '<c-kv><c-kv_row label="Registration number" :value="hospital.registration_number" /></c-kv>\n'
    "The value may be the slot; without one it says Not given.",
    "feed": '<c-feed><c-feed_row icon="check" tone="ok" time="19 Nov, 10:42" quote="The reason">'
    "<b>Kiran</b> approved it</c-feed_row></c-feed>",
    "checklist": '<c-checklist><c-checklist_row title="Add a logo" url="..." :done="has_logo" text="..." /></c-checklist>',
    "kpi": '<c-kpis><c-kpi label="Departments" :value="count" note="2 not published" url="..." /></c-kpis>',
    "note": '<c-note tone="warn" title="...">Text or more.</c-note>   tone: "" ok warn bad;   role="alert" when it appears',
    "toast": "messages.success(request, _(...)) shows one on the next page; it stays there until dismissed.\n"
    '{% include "partials/messages.html" with oob=True %} adds them to an htmx answer.',
    "empty": '<c-empty icon="hospital" title="No hospitals yet" text="...">'
    '<c-slot name="actions"><a class="btn primary">...</a></c-slot></c-empty>\n'
    'Filtered: <c-empty :filtered="True" title="No hospital in Kochi matches" clear="{{ request.path }}" />',
    "copy": '<c-copy id="address" label="Your address" value="{{ url }}" />',
    "progress": '<c-progress label="October report" value="64" text="Step 3 of 5. You can leave this page." />   <c-skeleton :lines="3" />',
    "menu": '<c-menu hint="More for Cardiology"><a class="menu-item" href="...">Rename</a></c-menu>',
    "brand_preview": '<link rel="stylesheet" href="(core.colour.preview_css)">\n'
    '<c-brand_preview :name="hospital.name" :src="hospital.logo_url" mode="dark" caption="Dark" />',
}


class SampleForm(forms.Form):
    """Every kind of field."""

    name = forms.CharField(label="Hospital name", help_text="As patients know it.", max_length=120)
    registration = forms.CharField(label="Registration number", required=False)
    city = forms.ChoiceField(label="City", choices=[("", "Choose a city"), ("kochi", "Kochi"), ("pune", "Pune")])
    kind = forms.ChoiceField(
        label="Kind of hospital", choices=[("public", "Public"), ("private", "Private"), ("trust", "Trust")],
        widget=forms.RadioSelect,
    )  # fmt: skip
    emergency = forms.ChoiceField(
        label="Emergency care",
        choices=[("always", "Day and night"), ("day", "From 08:00 to 20:00"), ("none", "No emergency care")],
        widget=forms.RadioSelect(attrs={"class": "choices"}),
    )
    services = forms.MultipleChoiceField(
        label="Services",
        choices=[("lab", "Laboratory"), ("ct", "CT scanner"), ("pharmacy", "Pharmacy")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    about = forms.CharField(
        label="About the hospital",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": 300, "data-count": 300}),
    )
    accent = forms.CharField(label="Colour", widget=forms.ColorInput, initial="#7a3ff2")
    logo = forms.FileField(label="Logo", required=False, widget=KeptImageInput, help_text="PNG, JPEG or WebP, at most 5 MB.")
    password = forms.CharField(label="Password", widget=forms.PasswordInput(render_value=True), initial="kept secret")
    agrees = forms.BooleanField(label="I may register this hospital", help_text="We ask for proof before it opens.")


class BrokenForm(SampleForm):
    """The same, sent with mistakes."""

    prefix = "broken"

    def clean(self) -> dict[str, Any]:
        """Add a mistake that belongs to no field."""
        self.add_error(None, "A hospital with this number is already registered. Ask its admin to invite you.")
        return super().clean() or {}


def context() -> dict[str, object]:
    """Everything the template needs."""
    broken = BrokenForm({"broken-name": "", "broken-city": "delhi", "broken-about": "x" * 280, "broken-accent": "#7a3ff2"})
    names = [
        ("Lakeside Hospital", "Kochi", "Approved", "ok", 14),
        ("Sree Narayana Guru Memorial Institute of Cardiovascular Sciences and Research", "Thiruvananthapuram", "In review", "warn", 0),
        ("संजीवनी अस्पताल", "Bhopal", "Rejected", "bad", 3),
        ("مستشفى النور", "Hyderabad", "In review", "warn", 8),
    ]  # fmt: skip
    return {
        "usage": USAGE,
        "tones": [("", "Draft"), ("ok", "Approved"), ("warn", "In review"), ("bad", "Rejected"), ("info", "Video"), ("accent", "Today")],
        "names": ["Anika Sen", "Dr Rohan Mehta", "अनिका सेन", "Kiran", "Bina Varghese-Kuruvilla", "O’Neil D’Souza"],
        "hospitals": [dict(zip(("name", "city", "status", "tone", "departments"), row, strict=True)) for row in names],
        "tabs": [
            Link("Waiting", current=True, count=4),
            Link("Approved", count=128),
            Link("Rejected", count=3),
            Link("All", count=135),
        ],
        "chips": [Link("All cities", current=True), Link("Kochi", count=12), Link("Pune", count=7), Link("Thiruvananthapuram", count=2), Link("Bhopal", count=1)],
        "periods": [Link("Today", current=True), Link("7 days"), Link("30 days")],
        "page": Paginator(range(237), 10).page(7),
        "first_page": Paginator(range(14), 10).page(1),
        "sample": SampleForm(),
        "broken": broken,
        "tokens": list(colour.root_tokens("light"))[:-5] + list(colour.accent_tokens(colour.PORTAL_ACCENT, "light")),
        "accent_pairs": len(colour.report()),
    }  # fmt: skip
