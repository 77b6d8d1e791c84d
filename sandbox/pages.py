"""What the pages are made of. Whatever comes from outside goes through `text`."""

import html
from collections.abc import Mapping
from pathlib import Path

from sandbox.web import Answer

FOLDER = Path(__file__).parent
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; img-src http: https: data:; base-uri 'none'"


def text(value: object) -> str:
    """As it may stand in a page."""
    return html.escape(str(value))


def rupees(paise: int) -> str:
    """As people read it."""
    whole, rest = divmod(paise, 100)
    head, tail = str(whole)[:-3], str(whole)[-3:]
    while head:  # hundreds of thousands stand in pairs
        head, tail = head[:-2], f"{head[-2:]},{tail}"
    return f"₹{tail}.{rest:02}" if rest else f"₹{tail}"


def hidden(fields: Mapping[str, object]) -> str:
    """Fields that travel along in a form."""
    return "".join(f'<input type="hidden" name="{text(name)}" value="{text(fields[name])}">' for name in fields)


def page(title: str, body: str, *, status: int = 200, is_wide: bool = False) -> Answer:
    """A whole page, plainly marked as what it is."""
    style = (FOLDER / "page.css").read_text()
    written = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{text(title)} · Test money</title>
<style>{style}</style>
</head>
<body>
<header class="banner">Test money. No money moves.</header>
<main{' class="wide"' if is_wide else ""}>{body}</main>
</body>
</html>"""
    return Answer(written.encode(), status, "text/html; charset=utf-8", {"Content-Security-Policy": POLICY})


def script(name: str) -> Answer:
    """One of the scripts beside this file."""
    return Answer((FOLDER / name).read_bytes(), kind="text/javascript; charset=utf-8")
