"""Certificates for the demo's doctors, drawn here so that there is something to look at in the review."""

from io import BytesIO

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageDraw, ImageFont

_PAPER, _INK, _LINE, _SEAL = "#fbf9f2", "#26332e", "#b8ac8c", "#8a5a2b"


def licence(*, name: str, number: str, qualifications: str) -> SimpleUploadedFile:
    """A licence as a photograph of paper."""
    return _file("licence.jpg", "JPEG", "Certificate of registration", ["No. " + number, f"Dr {name}", qualifications])


def degree(*, name: str, qualifications: str) -> SimpleUploadedFile:
    """A degree as a PDF."""
    return _file("degree.pdf", "PDF", "Degree certificate", ["This is to certify that", f"Dr {name}", qualifications])


def _file(file_name: str, kind: str, title: str, lines: list[str]) -> SimpleUploadedFile:
    page = Image.new("RGB", (1240, 877), _PAPER)
    draw = ImageDraw.Draw(page)
    draw.rectangle((40, 40, 1200, 837), outline=_LINE, width=4)
    draw.rectangle((54, 54, 1186, 823), outline=_LINE, width=1)
    _centred(draw, 130, title, 54)
    for row, line in enumerate(lines):
        _centred(draw, 300 + row * 90, line, 40 if row else 30)
    draw.ellipse((960, 620, 1110, 770), outline=_SEAL, width=6)
    draw.ellipse((984, 644, 1086, 746), outline=_SEAL, width=2)
    _centred(draw, 740, "Demo only: no council has issued this", 24)
    out = BytesIO()
    page.save(out, format=kind)
    content = ContentFile(out.getvalue())
    return SimpleUploadedFile(file_name, content.read())


def _centred(draw: ImageDraw.ImageDraw, top: int, text: str, size: int) -> None:
    font = ImageFont.load_default(size=size)
    draw.text((620 - draw.textlength(text, font=font) / 2, top), text, font=font, fill=_INK)
