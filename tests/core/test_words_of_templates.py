"""Template words."""

from core.templatetags.ui import drawn, options
from hospitals.views.doctor_cards import Card


def test_the_chosen_option_is_selected_in_capitals_or_not() -> None:
    choices = [("", "Any city"), ("Pune", "Pune"), ("Agra", "Agra")]
    assert options(choices, "pune") == (
        '<option value="">Any city</option>\n<option value="Pune" selected>Pune</option>\n<option value="Agra">Agra</option>'
    )
    assert '<option value="" selected>' in options(choices, None)
    assert "selected" not in options(choices, "Atlantis")


def test_what_an_option_says_is_escaped() -> None:
    assert options([('"><b>', "<i>")], "") == '<option value="&quot;&gt;&lt;b&gt;">&lt;i&gt;</option>'


def test_what_is_drawn_follows_what_it_is_given() -> None:
    def card(**words: str) -> str:
        plain = dict.fromkeys(("photo", "url", "about", "place", "fee", "languages", "zone_city"), "")
        shown = Card(**{"name": "Anil Rao", **plain, **words}, kinds=(), days=(), later=(), earliest=None)
        return drawn("portal/doctor_card.html", card=shown, level=2)

    assert card(fee="₹700") == card(fee="₹700")
    assert "₹900" in card(fee="₹900")
    assert "&lt;b&gt;" in card(name="<b>")
