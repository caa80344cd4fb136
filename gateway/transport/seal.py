"""What replicas seal before it goes into a store: only who has the same secret can read it.

The name it is kept under and the key it is sealed with are made of that secret, slowly; the name tells nothing.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12
# What people choose for a password is to be guessed slowly: RFC 7914, 2. It takes 16 megabytes and some hundredths of a second, once.
_COST, _BLOCK, _LANES = 2**14, 8, 1


@dataclass(frozen=True, slots=True)
class Seal:
    """Under which name something is kept, and the key that it is sealed with."""

    name: str
    key: AESGCM

    @classmethod
    def of(cls, kind: str, about: str, secret: bytes) -> Seal:
        """Make the seal for one thing of a kind. Takes its time."""
        salt = hashlib.sha256(f"invoice-gateway {kind}\0{about}".encode()).digest()
        made = hashlib.scrypt(secret, salt=salt, n=_COST, r=_BLOCK, p=_LANES, dklen=64)
        return cls(made[:32].hex(), AESGCM(made[32:]))

    def close(self, content: bytes) -> bytes:
        """Seal something."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self.key.encrypt(nonce, content, self.name.encode())

    def open(self, sealed: bytes) -> bytes | None:
        """Give what was sealed; None for what was not sealed so."""
        try:
            return self.key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self.name.encode())
        except (InvalidTag, ValueError):
            return None
