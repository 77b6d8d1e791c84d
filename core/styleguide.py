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


@dataclass(frozen=True)
class Hospital:
    """A row of a table."""

    name: str
    city: str
    status: str
    tone: str
    departments: int


USAGE = {
    "icon": '{% icon "search" %}   {% icon "search" "s" %}   {% icon item.icon %}   <c-icon name="search" size="l" />',
    "badge": """\
{% badge hospital.get_status_display "ok" %}   <c-badge tone="warn">In review</c-badge>
Tones: "" ok warn bad info accent""",
    "avatar": '<c-avatar :name="person.name" />   size: s, l   tone: a, b, c, d (without one the name decides)',
    "logo": '<c-logo :name="hospital.name" :src="hospital.logo_url" :portal="brand.is_portal" />   size: s, l, xl',
    "button": """\
<button type="submit" class="btn primary">Save changes</button>   <a class="btn" href="...">Cancel</a>
Classes: primary, ghost, danger, s, block, icon-only (with an aria-label)""",
    "button_form": """\
<c-button_form action="..." label="Publish" hint="Cardiology" tone="primary" icon="send" />
A POST form of one button, with its CSRF token. hint is for screen readers; name and value are sent; size="s".""",
    "confirm": """\
<c-confirm id="reject" label="Reject" title="Reject Lakeside Hospital?" text="..." action="..."
           confirm="Reject hospital" reason="Reason" reason_hint="..."
           :reason_error="form.reason.errors.0" :reason_value="form.reason.value" />
A dialog; without JavaScript the same box opens in the page. With reason_error it is open when the page comes back.
Without reason it only asks. tone="primary" for what destroys nothing.""",
    "card": """\
<c-card title="Departments" id="departments" link="..." link_text="All departments">...</c-card>
:padded="False" for lists and tables. Slots: head (beside the title), foot. class="link" makes it one target.""",
    "page_head": """\
<c-page_head title="Cardiology" text="..." back="..." back_text="Departments" badge="Live" badge_tone="ok">
  <c-slot name="actions"><a class="btn primary" href="...">Edit</a></c-slot>
</c-page_head>
Slots: lead (a logo or avatar), actions. The default slot stands under the text.""",
    "form": """\
<c-form :form="form" submit="Save changes" cancel="..." />   action, class="wide", tone="danger"
<c-form :form="form" submit="Save changes">
  <c-error_summary :form="form" />
  <div class="form-pair">{{ form.city.as_field_group }}{{ form.state.as_field_group }}</div>
</c-form>
Radios are segments; attrs={"class": "choices"} makes them a list. Textarea(attrs={"maxlength": 300, "data-count": 300})
counts characters. ColorInput has a text field beside it, PasswordInput a Show button.""",
    "search": """\
<c-search label="Search hospitals" :value="request.GET.q" target="#results" :shortcut="True" />
<div id="results" class="results">...</div>
The other parameters of the address are kept. With a target, htmx swaps while one types.""",
    "chips": '<c-chips label="Filter by city" :items="cities" />   items: label, url, current, count',
    "tabs": '<c-tabs label="Hospitals by state" :items="tabs" />   <c-segments label="Period" :items="periods" />',
    "table": """\
<div class="card"><c-table caption="Hospitals">
  <c-slot name="head"><c-th sort="name">Name</c-th><c-th class="n">Departments</c-th></c-slot>
  <tr><td><a href="...">Lakeside</a></td><td data-label="Departments" class="n">14</td></tr>
</c-table></div>
Under 48em rows become cards: every cell but the first needs a data-label. class="n" for numbers, "end" for actions.""",
    "pagination": """<c-pagination :page="page" target="#results" />   page: a page of Django's Paginator""",
    "kv": """\
<c-kv><c-kv_row label="Registration number" :value="hospital.registration_number" /></c-kv>   :inline="True"
The value may be the slot; without any it says Not given.""",
    "feed": """\
<c-feed><c-feed_row icon="check" tone="ok" time="19 Nov, 10:42" quote="Their reason">
  <b>Kiran Rao</b> approved it
</c-feed_row></c-feed>""",
    "checklist": '<c-checklist><c-checklist_row title="Add a logo" url="..." :done="done" /></c-checklist>',
    "kpi": '<c-kpis><c-kpi label="Departments" :value="count" note="2 not published" url="..." /></c-kpis>',
    "note": """\
<c-note tone="warn" title="Not published">Text or more.</c-note>   tone: "" ok warn bad
role="alert" or "status" when it appears after the page.""",
    "toast": """\
messages.success(request, _("...")) shows one on the next page, where it stays until it is dismissed.
{% include "partials/messages.html" with oob=True %} adds them to an answer for htmx.""",
    "empty": """\
<c-empty icon="hospital" title="No hospitals yet" text="...">
  <c-slot name="actions"><a class="btn primary" href="...">Add one</a></c-slot>
</c-empty>
<c-empty :filtered="True" title="No hospital in Kochi matches" clear="{{ request.path }}" />""",
    "copy": '<c-copy id="address" label="Your address" value="{{ url }}" />',
    "progress": '<c-progress label="October report" value="64" text="Step 3 of 5." />   <c-skeleton :lines="3" />',
    "menu": '<c-menu hint="More for Cardiology"><a class="menu-item" href="...">Rename</a></c-menu>',
    "brand_preview": """\
<link rel="stylesheet" href="(what core.colour.preview_css gives)">
<c-brand_preview :name="hospital.name" :src="hospital.logo_url" mode="dark" caption="Dark" />
Both stand in an element of class "previews".""",
}


class SampleForm(forms.Form):
    """Every kind of field."""

    name = forms.CharField(label="Hospital name", help_text="As patients know it.", max_length=120)
    registration = forms.CharField(label="Registration number", required=False)
    city = forms.ChoiceField(label="City", choices=[("", "Choose a city"), ("kochi", "Kochi"), ("pune", "Pune")])
    kind = forms.ChoiceField(
        label="Kind of hospital",
        choices=[("public", "Public"), ("private", "Private"), ("trust", "Trust")],
        widget=forms.RadioSelect,
    )
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
    logo = forms.FileField(
        label="Logo", required=False, widget=KeptImageInput, help_text="PNG, JPEG or WebP, at most 5 MB."
    )
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
    long_name = "Sree Narayana Guru Memorial Institute of Cardiovascular Sciences and Research"
    return {
        "usage": USAGE,
        "tones": [
            ("", "Draft"),
            ("ok", "Approved"),
            ("warn", "In review"),
            ("bad", "Rejected"),
            ("info", "Video"),
            ("accent", "Today"),
        ],
        "names": ["Anika Sen", "Dr Rohan Mehta", "अनिका सेन", "Kiran", "Bina Varghese-Kuruvilla", "O’Neil D’Souza"],
        "hospitals": [
            Hospital("Lakeside Hospital", "Kochi", "Approved", "ok", 14),
            Hospital(long_name, "Thiruvananthapuram", "In review", "warn", 0),
            Hospital("संजीवनी अस्पताल", "Bhopal", "Rejected", "bad", 3),
            Hospital("مستشفى النور", "Hyderabad", "In review", "warn", 8),
        ],
        "tabs": [
            Link("Waiting", current=True, count=4),
            Link("Approved", count=128),
            Link("Rejected", count=3),
            Link("All", count=135),
        ],
        "chips": [
            Link("All cities", current=True),
            Link("Kochi", count=12),
            Link("Pune", count=7),
            Link("Thiruvananthapuram", count=2),
        ],
        "periods": [Link("Today", current=True), Link("7 days"), Link("30 days")],
        "page": Paginator(range(237), 10).page(7),
        "first_page": Paginator(range(14), 10).page(1),
        "sample": SampleForm(),
        "broken": BrokenForm(
            {"broken-name": "", "broken-city": "delhi", "broken-about": "x" * 280, "broken-accent": "#7a3ff2"}
        ),
        "tokens": [*colour.root_tokens("light"), *colour.accent_tokens(colour.PORTAL_ACCENT, "light")],
        "checked_pairs": len(colour.report()),
    }
