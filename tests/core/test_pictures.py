"""Pictures are judged by their content, cleaned, and kept while a form is corrected."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now
from PIL import Image, PngImagePlugin

from core import pictures
from core.errors import Invalid
from tests import factories


def encoded(image: Image.Image, kind: str, **options: Any) -> SimpleUploadedFile:
    out = BytesIO()
    image.save(out, format=kind, **options)
    return SimpleUploadedFile(f"logo.{kind.lower()}", out.getvalue())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_pictures_become_webp(kind: str) -> None:
    picture = pictures.judge(encoded(Image.new("RGB", (10, 10), "red"), kind))
    with Image.open(BytesIO(picture.content)) as image:
        assert (image.format, image.size) == ("WEBP", (10, 10))


def test_a_large_picture_is_made_smaller() -> None:
    picture = pictures.judge(encoded(Image.new("RGB", (3000, 1500)), "PNG"))
    with Image.open(BytesIO(picture.content)) as image:
        assert image.size == (640, 320)


def test_transparency_stays() -> None:
    picture = pictures.judge(encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "PNG"))
    with Image.open(BytesIO(picture.content)) as image:
        pixel = image.getpixel((0, 0))
        assert isinstance(pixel, tuple)
        assert pixel[3] == 0


def test_nothing_but_the_pixels_is_kept() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "taken at home, 18.5204 N 73.8567 E")
    picture = pictures.judge(encoded(Image.new("RGB", (4, 4)), "PNG", pnginfo=notes))
    assert b"18.5204" not in picture.content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.7",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 40,
        b"GIF89a",
    ],
)
def test_what_is_no_picture_is_refused_whatever_it_is_called(content: bytes) -> None:
    with pytest.raises(Invalid, match="not a picture we can read"):
        pictures.judge(SimpleUploadedFile("logo.png", content, content_type="image/png"))


def test_more_than_five_megabytes_are_refused() -> None:
    with pytest.raises(Invalid, match="larger than 5 MB"):
        pictures.judge(SimpleUploadedFile("logo.png", b"x" * (pictures.MAX_BYTES + 1)))


def test_a_small_file_that_unpacks_to_gigabytes_is_refused() -> None:
    bomb = encoded(Image.new("1", (20_000, 20_000)), "PNG", optimize=True)
    assert bomb.size
    assert bomb.size < 100_000
    with pytest.raises(Invalid, match="too many pixels"):
        pictures.judge(bomb)


def test_a_kept_picture_comes_back_with_its_name() -> None:
    picture = pictures.judge(factories.picture("our logo.png"))
    assert pictures.kept(pictures.keep(picture)) == picture


def test_a_token_that_was_tampered_with_gives_nothing() -> None:
    token = pictures.keep(pictures.judge(factories.picture()))
    assert pictures.kept(token[:-2] + "xx") is None
    assert pictures.kept("") is None


def test_the_same_picture_twice_is_one_file() -> None:
    picture = pictures.judge(factories.picture())
    first = pictures.store(picture, folder="somewhere", kind="logo")
    assert pictures.store(picture, folder="somewhere", kind="logo") == first
    assert default_storage.exists(first)


def test_pictures_of_unfinished_forms_are_dropped_after_a_day_and_no_others() -> None:
    token = pictures.keep(pictures.judge(factories.picture()))
    stored = pictures.store(pictures.judge(factories.picture()), folder="kept-for-good", kind="logo")
    assert pictures.drop_forgotten(now=now()) == 0
    assert pictures.drop_forgotten(now=now() + timedelta(hours=25)) >= 1
    assert pictures.kept(token) is None
    assert default_storage.exists(stored)


def test_a_photo_of_a_person_is_cut_square_from_above_the_middle() -> None:
    tall = Image.new("RGB", (100, 200), "blue")
    tall.paste("red", (0, 0, 100, 100))
    portrait = pictures.square(pictures.judge(encoded(tall, "PNG")))
    with Image.open(BytesIO(portrait.content)) as image:
        assert image.size == (100, 100)
        red, _green, blue = image.convert("RGB").getpixel((50, 50))  # type: ignore[misc]
    assert red > blue
    assert pictures.thumbnail(portrait).startswith("data:image/webp;base64,")
