"""Documents for people as PDF files: tagged, with the project's own fonts, made while somebody waits for them.

What stands in a document is data and never part of the template's source: no name can become a command.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import typst

_FONTS = Path(__file__).parent / "fonts"
_TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "pdf"


def pdf(template: str, data: Mapping[str, Any], *, at: datetime) -> bytes:
    """The document that `templates/pdf/<template>.typ` makes of `data`; `at` is when it was issued, so that it stays the same.

    It keeps the standard for accessible documents (PDF/UA-1), unless somebody's name needs a letter that none of our
    fonts has: then it is tagged all the same, and shows the letter's empty box.
    """
    compiler = typst.Compiler(
        _TEMPLATES / f"{template}.typ",
        root=_TEMPLATES,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
    )
    seconds = int(at.timestamp())
    try:
        made = compiler.compile(format="pdf", timestamp=seconds, pdf_standards="ua-1")
    except typst.TypstError as fault:
        if "PDF/UA-1 error" not in fault.message:
            raise
        made = compiler.compile(format="pdf", timestamp=seconds)
    return cast(bytes, made)


@cache
def _fonts() -> typst.Fonts:
    """Nobody else's: the document looks the same wherever it is made."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_FONTS])
