"""What must be read again is kept so that a copy of the database does not give it away."""

from typing import Any

import pytest
from cryptography.fernet import InvalidToken

from core.sealing import seal, unseal


def test_what_was_sealed_is_read_again_and_not_seen() -> None:
    sealed = seal("JBSWY3DPEHPK3PXP")
    assert unseal(sealed) == "JBSWY3DPEHPK3PXP"
    assert "JBSWY3DPEHPK3PXP" not in sealed


def test_two_seals_of_one_text_differ() -> None:
    assert seal("one") != seal("one")


def test_it_is_still_read_after_the_key_was_changed(settings: Any) -> None:
    sealed, old = seal("kept"), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-key-" + "y" * 50, [old]
    assert unseal(sealed) == "kept"


def test_another_installation_cannot_read_it(settings: Any) -> None:
    sealed = seal("kept")
    settings.SECRET_KEY = "another-key-" + "y" * 50
    with pytest.raises(InvalidToken):
        unseal(sealed)


def test_a_changed_seal_is_refused() -> None:
    sealed = seal("kept")
    with pytest.raises(InvalidToken):
        unseal(sealed[:-2] + ("aa" if sealed[-2:] != "aa" else "bb"))
