"""Pictures that people send: judged by their content, re-encoded, and kept while a form is being corrected."""

import hashlib
import secrets
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import PurePosixPath

from django.core import signing
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import Invalid

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 40_000_000  # a small file can unpack to gigabytes
MAX_SIDE = 640  # what the largest place of a page shows
THUMB_SIDE = 128  # twice what a list shows, for sharp screens
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
KEPT_FOR = timedelta(hours=24)
_WAITING = "waiting"  # folder of pictures whose form is not finished
_SALT = "core.pictures"


@dataclass(frozen=True)
class Picture:
    """A picture that passed: a WebP of ours, without the sender's metadata, and the name its sender gave it."""

    content: bytes
    name: str

    @property
    def digest(self) -> str:
        """The first twelve characters of the content's SHA-256."""
        return hashlib.sha256(self.content).hexdigest()[:12]


def judge(upload: "File[bytes]") -> Picture:
    """Open, check and re-encode what was sent; raise `Invalid` with a sentence that says what to send instead."""
    if upload.size > MAX_BYTES:
        raise Invalid(_("This file is larger than 5 MB. Send a smaller picture."))
    raw = upload.read(MAX_BYTES + 1)
    try:
        with Image.open(BytesIO(raw), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise Invalid(_("This picture has too many pixels. Send one of at most 6000 by 6000."))
            upright = ImageOps.exif_transpose(picture)
            clean = upright.convert("RGBA" if "A" in upright.getbands() or "transparency" in upright.info else "RGB")
    except Image.DecompressionBombError:
        raise Invalid(_("This picture has too many pixels. Send one of at most 6000 by 6000.")) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
        raise Invalid(_("This file is not a picture we can read. Send a PNG, JPEG or WebP file.")) from None
    clean.thumbnail((MAX_SIDE, MAX_SIDE))
    # The pixels go into a new picture, so that nothing else of the sent file comes along.
    bare = Image.new(clean.mode, clean.size)
    bare.paste(clean)
    return Picture(content=_webp(bare, quality=70), name=PurePosixPath(upload.name or "picture").name[:80])


def _webp(image: Image.Image, *, quality: int) -> bytes:
    out = BytesIO()
    image.save(out, format="WEBP", quality=quality, method=6)
    return out.getvalue()


def thumbnail(picture: Picture) -> str:
    """A small version as a data: address of 1 to 4 KB. Lists carry it in the page, instead of a request for each row."""
    with Image.open(BytesIO(picture.content)) as image:
        image.thumbnail((THUMB_SIDE, THUMB_SIDE))
        return "data:image/webp;base64," + b64encode(_webp(image, quality=55)).decode()


def square(picture: Picture) -> Picture:
    """The middle of a picture of a person, a little above the centre, where the face is."""
    with Image.open(BytesIO(picture.content)) as image:
        side = min(image.size)
        return Picture(_webp(ImageOps.fit(image, (side, side), centering=(0.5, 0.35)), quality=80), picture.name)


def store(picture: Picture, *, folder: str, kind: str) -> str:
    """Write the picture below `folder` and return its path; the same picture twice is one file."""
    path = f"{folder}/{kind}-{picture.digest}.webp"
    if not default_storage.exists(path):
        default_storage.save(path, ContentFile(picture.content))
    return path


def keep(picture: Picture) -> str:
    """Set the picture aside while its form is corrected; the token fetches it back for a day."""
    path = default_storage.save(f"{_WAITING}/{secrets.token_hex(16)}.webp", ContentFile(picture.content))
    return signing.dumps({"path": path, "name": picture.name}, salt=_SALT)


def kept(token: str) -> Picture | None:
    """The picture behind a token, or None if the token is not ours, is too old, or the picture is gone."""
    try:
        slip = signing.loads(token, salt=_SALT, max_age=KEPT_FOR)
        with default_storage.open(slip["path"]) as file:
            return Picture(content=file.read(), name=slip["name"])
    except (signing.BadSignature, FileNotFoundError):
        return None


def drop_forgotten(*, now: datetime) -> int:
    """Delete pictures set aside more than a day ago whose form was never finished; return how many."""
    try:
        _folders, names = default_storage.listdir(_WAITING)
    except FileNotFoundError:
        return 0
    dropped = 0
    for name in names:
        path = f"{_WAITING}/{name}"
        if default_storage.get_modified_time(path) < now - KEPT_FOR:
            default_storage.delete(path)
            dropped += 1
    return dropped
