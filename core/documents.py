"""Documents that people send, like a licence: judged by their content, made harmless, and kept where nobody guesses."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from core.errors import Invalid
from core.pictures import MAX_PIXELS
from core.text import one_line

MAX_BYTES = 8 * 1024 * 1024
MAX_SIDE = 2400  # A4 at 200 dots an inch: small print can still be read
MAX_PAGES = 200
_MAX_OBJECTS = 50_000  # a certificate has hundreds
_FORMATS = ("PNG", "JPEG", "WEBP")

# What makes a PDF do something, or carry another file. Names are compared after the reader has undone their escapes.
_ACTIVE_KEYS = frozenset(
    {"/JS", "/JavaScript", "/EF", "/EmbeddedFiles", "/XFA", "/RichMediaContent", "/RichMediaSettings"}
)
_ACTIVE_KINDS = frozenset(
    {
        "/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/GoToE", "/GoToR", "/Rendition", "/Movie", "/Sound",
        "/EmbeddedFile", "/FileAttachment", "/RichMedia", "/RichMediaExecute", "/Screen", "/3D",
    }
)  # fmt: skip
# The same in plain sight: a reader that repairs a broken file may find objects that ours did not look at.
_IN_PLAIN_SIGHT = re.compile(rb"/(JavaScript|Launch|EmbeddedFile|RichMedia)")


@dataclass(frozen=True)
class Document:
    """A document that passed: a PDF as it was sent, or a WebP of ours, and a name that fits what it is."""

    content: bytes
    name: str
    content_type: str
    extension: str

    @property
    def digest(self) -> str:
        """The first thirty-two characters of the content's SHA-256."""
        return hashlib.sha256(self.content).hexdigest()[:32]


def judge(upload: "File[bytes]") -> Document:
    """Open and check what was sent, pictures re-encoded; raise `Invalid` with a sentence that says what to send."""
    if upload.size > MAX_BYTES:
        raise Invalid(_("This file is larger than 8 MB. Send a smaller one."))
    raw = upload.read(MAX_BYTES + 1)
    if raw.startswith(b"%PDF-"):
        _check_pdf(raw)
        return Document(raw, _name(upload.name, "pdf"), "application/pdf", "pdf")
    return Document(_clean_picture(raw), _name(upload.name, "webp"), "image/webp", "webp")


def store(document: Document, *, folder: str) -> str:
    """Write the document below `folder` and return its path; the same document twice is one file."""
    path = f"{folder}/{document.digest}.{document.extension}"
    if not default_storage.exists(path):
        default_storage.save(path, ContentFile(document.content))
    return path


def delete(path: str) -> None:
    """Take a document out of the storage. One that is gone already is no fault."""
    default_storage.delete(path)


def answer(*, path: str, name: str, content_type: str, is_kept: bool = False) -> FileResponse:
    """The document to look at, or to keep, for who may: nothing in it runs, and nobody keeps a copy on the way."""
    try:
        content = default_storage.open(path)
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(
        content,
        as_attachment=is_kept,
        filename=name,
        content_type=content_type,
        headers={
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _name(given: str | None, extension: str) -> str:
    """The sender's name for it, with the ending of what it is; without folders and characters that nobody sees."""
    shown = "".join(letter for letter in (given or "").replace("\\", "/") if letter.isprintable())
    stem = one_line(PurePosixPath(shown).stem)[:100]
    return f"{stem or 'document'}.{extension}"


def _clean_picture(raw: bytes) -> bytes:
    try:
        with Image.open(BytesIO(raw), formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise _too_many_pixels()
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except Image.DecompressionBombError:
        raise _too_many_pixels() from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
        raise Invalid(
            _("This file is neither a PDF nor a picture we can read. Send a PDF, JPEG or PNG file.")
        ) from None
    upright.thumbnail((MAX_SIDE, MAX_SIDE))
    # On paper, and nothing else of the sent file comes along.
    paper = Image.new("RGB", upright.size, "white")
    paper.paste(upright, mask=upright)
    out = BytesIO()
    paper.save(out, format="WEBP", quality=85, method=4)
    return out.getvalue()


def _too_many_pixels() -> Invalid:
    return Invalid(_("This picture has too many pixels. Send one of at most 6000 by 6000."))


def _check_pdf(raw: bytes) -> None:
    try:
        reader = PdfReader(BytesIO(raw))
        is_locked = reader.is_encrypted
        pages = 0 if is_locked else len(reader.pages)
        is_active = not is_locked and (_IN_PLAIN_SIGHT.search(raw) is not None or any(map(_acts, _objects(reader))))
    except Invalid:
        raise
    except Exception:  # noqa: BLE001  (foreign bytes make a parser fail in any way; each means the same)
        raise Invalid(_("This PDF cannot be opened. Save or scan it anew, or send a photo of the page.")) from None
    if is_locked:
        raise Invalid(_("This PDF is locked. Send one that opens without a password."))
    if not pages:
        raise Invalid(_("This PDF has no pages. Save or scan it anew, or send a photo of the page."))
    if pages > MAX_PAGES:
        raise Invalid(_("This PDF has more than 200 pages. Send only those that matter."))
    if is_active:
        raise Invalid(
            _("This PDF holds programs, forms or other files. Print it into a new PDF, or send a photo of it.")
        )


def _objects(reader: PdfReader) -> Iterator[object]:
    """Every object of the file, reached or not."""
    numbers = {(number, generation) for generation, found in reader.xref.items() for number in found}
    numbers |= {(number, 0) for number in reader.xref_objStm}
    if len(numbers) > _MAX_OBJECTS:
        raise Invalid(_("This PDF is too complicated. Print it into a new PDF, or send a photo of the page."))
    yield reader.trailer
    for number, generation in sorted(numbers):
        yield reader.get_object(IndirectObject(number, generation, reader))


def _acts(thing: object) -> bool:
    """Whether an object, or what stands in it directly, does something or carries another file."""
    waiting = [thing]
    while waiting:
        one = waiting.pop()
        if isinstance(one, DictionaryObject):
            if _ACTIVE_KEYS & one.keys() or _ACTIVE_KINDS & {
                str(one.raw_get(k)) for k in ("/S", "/Type", "/Subtype") if k in one
            }:
                return True
            waiting.extend(one.raw_get(key) for key in one)
        elif isinstance(one, ArrayObject):
            waiting.extend(list.__iter__(one))
    return False
