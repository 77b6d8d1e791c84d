"""Languages people speak in hospitals: India's scheduled languages and a few more, by ISO 639 code."""

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.phrases import once_per_language


class Language(models.TextChoices):
    """A language in which a doctor can talk with patients."""

    ENGLISH = "en", _("English")
    HINDI = "hi", _("Hindi")
    ASSAMESE = "as", _("Assamese")
    BENGALI = "bn", _("Bengali")
    GUJARATI = "gu", _("Gujarati")
    KANNADA = "kn", _("Kannada")
    KASHMIRI = "ks", _("Kashmiri")
    KONKANI = "kok", _("Konkani")
    MAITHILI = "mai", _("Maithili")
    MALAYALAM = "ml", _("Malayalam")
    MANIPURI = "mni", _("Manipuri")
    MARATHI = "mr", _("Marathi")
    NEPALI = "ne", _("Nepali")
    ODIA = "or", _("Odia")
    PUNJABI = "pa", _("Punjabi")
    SINDHI = "sd", _("Sindhi")
    TAMIL = "ta", _("Tamil")
    TELUGU = "te", _("Telugu")
    TULU = "tcy", _("Tulu")
    URDU = "ur", _("Urdu")
    ARABIC = "ar", _("Arabic")
    FRENCH = "fr", _("French")


def names(codes: Iterable[str]) -> list[str]:
    """Languages by their names, in the order of the list above; a code that is no longer there is left out."""
    wanted = set(codes)
    return [name for code, name in _all().items() if code in wanted]


@once_per_language
def _all() -> dict[str, str]:
    """Every language by its code."""
    return {str(code): str(name) for code, name in Language.choices}
