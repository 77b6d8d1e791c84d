"""A replaced SECRET_KEY leaves nobody without their authenticator app."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import RequestFactory
from django.utils.timezone import now

from accounts.models import Totp, User
from accounts.services import two_factor
from accounts.services.codes import WrongCode
from core.sealing import seal, unseal

NEW = "another-key-" + "y" * 50


@pytest.fixture
def app(asha: User) -> Totp:
    return Totp.objects.create(user=asha, sealed_secret=seal("JBSWY3DPEHPK3PXP"))


def resealed(capsys: Any, *arguments: str) -> str:
    call_command("reseal", *arguments)
    return str(capsys.readouterr().out).strip()


def test_secrets_are_sealed_anew_and_the_old_key_can_go(app: Totp, settings: Any, capsys: Any) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [settings.SECRET_KEY]
    assert resealed(capsys) == "1 sealed with the present key, 0 cannot be read with any known key."
    settings.SECRET_KEY_FALLBACKS = []
    app.refresh_from_db()
    assert unseal(app.sealed_secret) == "JBSWY3DPEHPK3PXP"


def test_recovery_codes_count_while_the_old_key_is_a_fallback(app: Totp, asha: User, settings: Any) -> None:
    Totp.objects.update(confirmed_at=now())
    first, second, *_others = two_factor.make_recovery_codes(user=asha)
    old = settings.SECRET_KEY
    request = RequestFactory().get("/")
    request.hospital = None  # type: ignore[attr-defined]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [old]
    two_factor.check(request=request, user=asha, code=first, now=now())
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(WrongCode):
        two_factor.check(request=request, user=asha, code=second, now=now())


def test_a_stolen_key_is_used_once_more_from_a_file(app: Totp, settings: Any, capsys: Any, tmp_path: Path) -> None:
    file = tmp_path / "old"
    file.write_text(settings.SECRET_KEY + "\n")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, []
    assert resealed(capsys).startswith("0 sealed with the present key, 1 cannot")
    assert resealed(capsys, "--old-key-file", str(file)).startswith("1 sealed")
