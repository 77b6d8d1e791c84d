"""Template words."""

from core.templatetags.ui import options


def test_the_chosen_option_is_selected_in_capitals_or_not() -> None:
    choices = [("", "Any city"), ("Pune", "Pune"), ("Agra", "Agra")]
    assert options(choices, "pune") == (
        '<option value="">Any city</option>\n<option value="Pune" selected>Pune</option>\n<option value="Agra">Agra</option>'
    )
    assert '<option value="" selected>' in options(choices, None)
    assert "selected" not in options(choices, "Atlantis")


def test_what_an_option_says_is_escaped() -> None:
    assert options([('"><b>', "<i>")], "") == '<option value="&quot;&gt;&lt;b&gt;">&lt;i&gt;</option>'
