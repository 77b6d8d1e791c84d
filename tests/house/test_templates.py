"""What the strict Content-Security-Policy and the design rules ask of every template."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

TEMPLATES = Path(settings.BASE_DIR) / "templates"
PAGES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))
FORBIDDEN = {
    r"<script(?![^>]*\bsrc=)": "an inline script",
    r"<style": "an inline style sheet",
    r"\sstyle=": "an inline style",
    r"\son[a-z]+=": "an inline event handler",
    r"hx-on": "hx-on, which the CSP blocks",
    r"javascript:": "a javascript: address",
    r"js:\{": "an evaluated hx-vals",
    r"\{\{\s*attrs\s*\}\}": "attributes that are printed unescaped",
    r'href="#"': "a link that leads nowhere",
    r"\|safe\b": "unescaped output",
}


def test_there_are_templates() -> None:
    assert len(PAGES) > 40


@pytest.mark.parametrize("name", PAGES)
def test_the_template_compiles_and_keeps_the_rules(name: str) -> None:
    get_template(name)
    if name.startswith("emails/"):
        return
    text = (TEMPLATES / name).read_text()
    found = [what for pattern, what in FORBIDDEN.items() if re.search(pattern, text)]
    if name.startswith("django/forms/"):  # help texts are our own, and may hold markup
        found = [what for what in found if what != "unescaped output"]
    assert found == []


@pytest.mark.parametrize("name", [name for name in PAGES if 'method="post"' in (TEMPLATES / name).read_text()])
def test_every_form_that_posts_carries_its_token(name: str) -> None:
    text = (TEMPLATES / name).read_text()
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, flags=re.DOTALL):
        assert "csrf_token" in form or "csrfmiddlewaretoken" in form


@pytest.mark.parametrize("path", sorted((TEMPLATES / "emails").glob("*.html")), ids=lambda path: path.stem)
def test_every_mail_has_a_text_twin(path: Path) -> None:
    assert path.with_suffix(".txt").exists()
