"""A device that keeps passkeys, as W3C WebAuthn describes it; it signs for real."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

_PRESENT, _VERIFIED, _HAS_KEY = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One passkey. `origin` is the page that the browser would say it is on."""

    origin: str
    is_verifying: bool = True  # it asks for the finger, the face or the PIN
    counter: int = 0
    credential: bytes = b"a passkey's own name"
    user_handle: bytes = b""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: dict[str, Any]) -> str:
        """Make the passkey, for whom and for which domain the options say."""
        self.user_handle = base64url_to_bytes(options["user"]["id"])
        point = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (point.x, point.y))
        key = encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + key
        data = self._data(options["rp"]["id"], _HAS_KEY) + attested
        response = {
            "clientDataJSON": self._client_data("webauthn.create", options),
            "attestationObject": bytes_to_base64url(encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})),
        }
        return self._answer(response)

    def get(self, options: dict[str, Any], **other: str) -> str:
        """Sign the challenge. `other` replaces parts of the answer."""
        self.counter += 1
        client_data = self._client_data("webauthn.get", options)
        data = self._data(options["rpId"], 0)
        signed = data + sha256(base64url_to_bytes(client_data)).digest()
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": bytes_to_base64url(data),
            "signature": bytes_to_base64url(self.key.sign(signed, ec.ECDSA(SHA256()))),
            "userHandle": bytes_to_base64url(self.user_handle),
        }
        return self._answer(response | other)

    def _data(self, relying_party: str, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.is_verifying else 0)
        return sha256(relying_party.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client_data(self, kind: str, options: dict[str, Any]) -> str:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return bytes_to_base64url(json.dumps(said).encode())

    def _answer(self, response: dict[str, str]) -> str:
        name = bytes_to_base64url(self.credential)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
