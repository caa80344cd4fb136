"""An issuer of tokens: it has keys of its own, signs, and publishes the public halves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.server.jwks import KeysAnswer, KeysNotFetched
from gateway.settings import JwtSettings
from tests.fakes import FakeClock

ISSUER, AUDIENCE, URL = "https://login.example/realms/shop", "invoice-gateway", "https://login.example/jwks"
RsaKey = rsa.RSAPrivateKey
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey


@cache
def rsa_key(name: str = "first", bits: int = 2048) -> RsaKey:
    """Make a key; the same one for the same name."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key(curve: str = "P-256") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key({"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}[curve])


@cache
def ed_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def listed(key: Key, kid: object = "k1", **members: object) -> dict[str, Any]:
    """Write the public half of a key as an issuer lists it."""
    public = key.public_key()
    written: Mapping[str, Any]
    if isinstance(public, rsa.RSAPublicKey):
        written = RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        written = ECAlgorithm.to_jwk(public, as_dict=True)
    else:
        written = OKPAlgorithm.to_jwk(public, as_dict=True)
    plain = {name: value for name, value in written.items() if name != "key_ops"}
    return {**plain, "kid": kid, "use": "sig", **members}


def claims(clock: FakeClock, **changes: object) -> dict[str, Any]:
    """Give the claims of a good token; a change to None leaves the claim out."""
    now = int(clock.now().timestamp())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "anna", "iat": now, "exp": now + 300, "permissions": ["read"], "sources": ["shop"]}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def sign(payload: Mapping[str, Any], key: Any = None, algorithm: str = "RS256", **header: object) -> str:  # noqa: ANN401  (a key, or None for none)
    """Sign a token; the header names the key `k1` unless it says otherwise, and none with `kid=None`."""
    headers = {name: value for name, value in {"kid": "k1", **header}.items() if value is not None}
    return jwt.encode(dict(payload), rsa_key() if key is None else key, algorithm, headers)


def settings(**changes: object) -> JwtSettings:
    return JwtSettings.model_validate({"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": URL, **changes})


class Published:
    """What the issuer publishes now, and how often it was asked."""

    def __init__(self, *keys: Mapping[str, Any]) -> None:
        self.keys: list[Any] = list(keys)
        self.body: bytes | None = None
        """Instead of the keys."""
        self.cache_control = ""
        self.is_down = False
        self.asked = 0
        self.answering = asyncio.Event()
        self.answering.set()

    async def fetch(self, url: str) -> KeysAnswer:
        assert url == URL
        self.asked += 1
        await self.answering.wait()
        if self.is_down:
            raise KeysNotFetched("no connection")
        body = json.dumps({"keys": self.keys}).encode() if self.body is None else self.body
        return KeysAnswer(body, self.cache_control)
