"""Documents are judged by their content, made harmless, and stored where nobody guesses."""

import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject

from core import documents
from core.errors import Invalid
from tests.core.test_s3 import bucket  # noqa: F401  (a fixture)


def pdf(change: Callable[[PdfWriter], Any] | None = None, *, pages: int = 1) -> bytes:
    """A PDF, changed before it is written."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    if change:
        change(writer)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def photo(kind: str = "JPEG", size: tuple[int, int] = (300, 200), mode: str = "RGB", **options: Any) -> bytes:
    """A picture of one colour."""
    out = BytesIO()
    Image.new(mode, size).save(out, format=kind, **options)
    return out.getvalue()


def upload(content: bytes, name: str = "licence.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="application/pdf")


def acting(kind: str) -> Callable[[PdfWriter], None]:
    """Give a PDF something to do when it is opened."""

    def change(writer: PdfWriter) -> None:
        action = DictionaryObject({NameObject("/S"): NameObject(kind), NameObject("/JS"): TextStringObject("x")})
        if kind != "/JavaScript":
            del action[NameObject("/JS")]
        writer.root_object[NameObject("/OpenAction")] = action

    return change


def hidden(writer: PdfWriter) -> None:
    """An action in an object that nothing refers to, within a list."""
    action = DictionaryObject({NameObject("/S"): NameObject("/Launch")})
    writer._add_object(ArrayObject([ArrayObject([action])]))


def test_a_pdf_is_kept_as_it_was_sent() -> None:
    content = pdf(pages=2)
    document = documents.judge(upload(content))
    assert (document.content, document.content_type, document.name) == (content, "application/pdf", "licence.pdf")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_becomes_a_webp_whatever_it_is_called(kind: str) -> None:
    document = documents.judge(upload(photo(kind), "my licence.pdf"))
    assert (document.content_type, document.name) == ("image/webp", "my licence.webp")
    with Image.open(BytesIO(document.content)) as image:
        assert (image.format, image.size) == ("WEBP", (300, 200))


def test_a_large_photo_stays_legible() -> None:
    document = documents.judge(upload(photo(size=(4800, 3000))))
    with Image.open(BytesIO(document.content)) as image:
        assert image.size == (2400, 1500)


def test_where_a_photo_was_taken_is_not_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "18.5204 N 73.8567 E"
    raw = photo(exif=exif)
    assert b"18.5204" in raw
    assert b"18.5204" not in documents.judge(upload(raw)).content


def test_a_turned_photo_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(BytesIO(documents.judge(upload(photo(exif=exif))).content)) as image:
        assert image.size == (200, 300)


def test_what_is_transparent_becomes_paper() -> None:
    raw = photo("PNG", (4, 4), "RGBA")
    with Image.open(BytesIO(documents.judge(upload(raw)).content)) as image:
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><script>alert(1)</script></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 40,
        b"<html>%PDF-1.7",
        b"GIF89a",
        b"MZ\x90\x00",
    ],
)
def test_what_is_neither_pdf_nor_picture_is_refused_whatever_it_is_called(content: bytes) -> None:
    with pytest.raises(Invalid, match="neither a PDF nor a picture"):
        documents.judge(upload(content))


@pytest.mark.parametrize("content", [b"%PDF-1.7", b"%PDF-1.7\n<html>", pdf()[:150], b"%PDF-" + b"\xff" * 4000])
def test_a_broken_pdf_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="cannot be opened|has no pages"):
        documents.judge(upload(content))


def test_a_pdf_without_pages_is_refused() -> None:
    with pytest.raises(Invalid, match="no pages"):
        documents.judge(upload(pdf(pages=0)))


def test_a_locked_pdf_is_refused() -> None:
    with pytest.raises(Invalid, match="locked"):
        documents.judge(upload(pdf(lambda writer: writer.encrypt("secret"))))


@pytest.mark.parametrize(
    "change",
    [
        acting("/JavaScript"),
        acting("/Launch"),
        acting("/SubmitForm"),
        acting("/GoToE"),
        hidden,
        lambda writer: writer.add_attachment("virus.exe", b"MZ"),
    ],
    ids=["script", "launch", "submit", "go to file", "in a corner", "attachment"],
)
def test_a_pdf_that_does_something_or_carries_files_is_refused(change: Callable[[PdfWriter], None]) -> None:
    with pytest.raises(Invalid, match="programs, forms or other files"):
        documents.judge(upload(pdf(change)))


def test_an_escaped_name_does_not_hide_a_script() -> None:
    content = pdf(acting("/JavaScript")).replace(b"/JavaScript", b"/J#61vaScript").replace(b"/JS", b"/J#53")
    assert b"/JavaScript" not in content
    with pytest.raises(Invalid, match="programs"):
        documents.judge(upload(content))


def packed(action: bytes) -> bytes:
    """A PDF whose catalogue, pages and `action` stand in a compressed stream, as office programs write them."""
    objects = [b"<</Type/Catalog/Pages 2 0 R/OpenAction 3 0 R>>", b"<</Type/Pages/Kids[4 0 R]/Count 1>>", action]
    places, body = [], b""
    for number, one in enumerate(objects, start=1):
        places.append(b"%d %d" % (number, len(body)))
        body += one + b" "
    head = b" ".join(places) + b" "
    stream = zlib.compress(head + body)
    out, at = b"%PDF-1.5\n", {}
    for number, one in (
        (4, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"),
        (
            5,
            b"<</Type/ObjStm/N 3/First %d/Length %d/Filter/FlateDecode>>stream\n" % (len(head), len(stream))
            + stream
            + b"\nendstream",
        ),
    ):
        at[number] = len(out)
        out += b"%d 0 obj\n" % number + one + b"\nendobj\n"
    at[6] = len(out)
    rows = [(0, 0, 255), (2, 5, 0), (2, 5, 1), (2, 5, 2), (1, at[4], 0), (1, at[5], 0), (1, at[6], 0)]
    table = b"".join(bytes([kind]) + where.to_bytes(2, "big") + bytes([more]) for kind, where, more in rows)
    out += b"6 0 obj\n<</Type/XRef/Size 7/Root 1 0 R/W[1 2 1]/Length %d>>stream\n" % len(table) + table
    return out + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF" % at[6]


def test_a_script_in_a_compressed_part_is_found() -> None:
    documents.judge(upload(packed(b"<</S/URI/URI(https://council.example)>>")))
    script = packed(b"<</S/JavaScript/JS(app.alert(1))>>")
    assert b"JavaScript" not in script
    with pytest.raises(Invalid, match="programs"):
        documents.judge(upload(script))


def test_a_link_in_a_pdf_is_no_fault() -> None:
    documents.judge(upload(pdf(acting("/URI"))))


def test_more_than_eight_megabytes_are_refused() -> None:
    with pytest.raises(Invalid, match="larger than 8 MB"):
        documents.judge(upload(b"%PDF-" + b"x" * documents.MAX_BYTES))


def test_a_pdf_of_a_thousand_pages_is_refused() -> None:
    with pytest.raises(Invalid, match="more than 200 pages"):
        documents.judge(upload(pdf(pages=201)))


def test_a_small_picture_that_unpacks_to_gigabytes_is_refused() -> None:
    bomb = photo("PNG", (20_000, 20_000), "1", optimize=True)
    assert len(bomb) < 100_000
    with pytest.raises(Invalid, match="too many pixels"):
        documents.judge(upload(bomb))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\Rao\\My licence.PDF", "My licence.pdf"),
        ('x"\r\nSet-Cookie: a=b.pdf', 'x"Set-Cookie: a=b.pdf'),
        ("\u202efdp.exe", "fdp.pdf"),
        ("", "document.pdf"),
        ("अनुज्ञप्ति.pdf", "अनुज्ञप्ति.pdf"),
        ("n" * 300 + ".pdf", "n" * 100 + ".pdf"),
    ],
)
def test_a_name_is_only_a_name(given: str, kept: str) -> None:
    file = upload(pdf())
    file._name = given  # type: ignore[attr-defined]  # as a client that is no browser sends it
    assert documents.judge(file).name == kept


def test_a_document_is_stored_once_and_deleted() -> None:
    document = documents.judge(upload(pdf()))
    path = documents.store(document, folder="somewhere/doctors/one")
    assert path == f"somewhere/doctors/one/{document.digest}.pdf"
    assert documents.store(document, folder="somewhere/doctors/one") == path
    documents.delete(path)
    assert not default_storage.exists(path)
    documents.delete(path)


def test_documents_are_stored_answered_and_deleted_on_s3(bucket: Callable[[str], bytes]) -> None:  # noqa: F811
    document = documents.judge(upload(pdf()))
    path = documents.store(document, folder="01932c07/doctors/one")
    assert bucket(path) == document.content
    answer = documents.answer(path=path, name="licence.pdf", content_type="application/pdf")
    assert b"".join(answer) == document.content
    assert answer.file_to_stream is not None
    answer.file_to_stream.close()
    documents.delete(path)
    assert not default_storage.exists(path)
