"""Tokens: who is let in, as whom, and that nobody else is, whatever is tried."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from gateway.errors import NotAuthenticated
from gateway.model import Caller, Permission
from gateway.server.jwks import Keys, KeysUnavailable
from gateway.server.jwt import Tokens
from tests.fakes import FakeClock
from tests.server.issuer import AUDIENCE, ISSUER, URL, Published, claims, ec_key, ed_key, listed, rsa_key, settings, sign

pytestmark = pytest.mark.anyio

CLOCK = FakeClock()
NOW = int(CLOCK.now().timestamp())
ANNA = f"jwt:{ISSUER}#anna"


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def parts(header: Mapping[str, object], payload: Mapping[str, object]) -> str:
    return ".".join(encoded(json.dumps(part).encode()) for part in (header, payload))


def tokens(published: Published | None = None, **changes: object) -> Tokens:
    used = published or Published(listed(rsa_key()), listed(ec_key(), "k2"), listed(ed_key(), "k3"), listed(rsa_key("enc"), "e", use="enc"))
    jwt = settings(**changes)
    return Tokens(jwt, Keys(jwt.jwks_url, jwt.algorithms, used.fetch, CLOCK), CLOCK)


async def why_not(token: str, known: Tokens, caplog: pytest.LogCaptureFixture) -> str:
    """Say why a token is refused, as the log has it; whoever sent it is told always the same."""
    caplog.clear()
    caplog.set_level(logging.DEBUG, logger="gateway")
    with pytest.raises(NotAuthenticated) as refused:
        await known.caller_of(token)
    assert (refused.value.message, refused.value.extensions) == ("this token is not accepted", {"code": "UNAUTHENTICATED"})
    (message,) = caplog.messages
    return message.removeprefix("a token is refused: ")


# ------------------------------------------------------------------ who is let in, as whom


@pytest.mark.parametrize(
    ("algorithm", "key", "kid"),
    [("RS256", rsa_key(), "k1"), ("PS512", rsa_key(), "k1"), ("ES256", ec_key(), "k2"), ("EdDSA", ed_key(), "k3")],
)
async def test_a_good_token_is_its_subject(algorithm: str, key: Any, kid: str) -> None:  # noqa: ANN401  (a key of some kind)
    token = sign(claims(CLOCK), key, algorithm, kid=kid)

    caller = await tokens(algorithms=[algorithm]).caller_of(token)

    assert caller == Caller(ANNA, frozenset({Permission.READ}), frozenset({"shop"}))


@pytest.mark.parametrize(
    ("claim", "permissions"),
    [
        (["read", "write"], {"read", "write"}),
        ("read write", {"read", "write"}),
        ("  raw  read ", {"raw", "read"}),
        (["read", "delete", "READ", 5, None, ["write"]], {"read"}),
        (["read write"], set()),
        ("openid profile read", {"read"}),
        ([], set()),
        ("", set()),
        (None, set()),
        (True, set()),
        ({"read": True}, set()),
    ],
)
async def test_the_permissions_are_those_of_the_claim_that_there_are(claim: object, permissions: set[str]) -> None:
    assert (await tokens().caller_of(sign(claims(CLOCK, permissions=claim)))).permissions == permissions


@pytest.mark.parametrize(
    ("claim", "sources"),
    [
        (["shop", "pos"], {"shop", "pos"}),
        ("shop pos", {"shop", "pos"}),
        (["*"], None),
        (["shop", "*"], None),
        ("*", None),
        ([], set()),
        (None, set()),
        ([7, "shop"], {"shop"}),
        ({"*": 1}, set()),
        (True, set()),
    ],
)
async def test_the_sources_are_those_of_the_claim_and_none_without_it(claim: object, sources: set[str] | None) -> None:
    assert (await tokens().caller_of(sign(claims(CLOCK, sources=claim)))).sources == sources


async def test_the_claims_are_those_that_are_configured() -> None:
    known = tokens(permissions_claim="scope", sources_claim="https://app.example/sources", subject_claim="oid")
    more = {"scope": "read raw", "https://app.example/sources": ["pos"], "oid": "4711"}

    caller = await known.caller_of(sign(claims(CLOCK, **more)))

    assert caller == Caller(f"jwt:{ISSUER}#4711", frozenset({Permission.READ, Permission.RAW}), frozenset({"pos"}))


@pytest.mark.parametrize("subject", ["a#b", "jwt:x", "Åsa Öberg", "x" * 255, "1"])
async def test_any_printable_subject_is_a_name(subject: str) -> None:
    assert (await tokens().caller_of(sign(claims(CLOCK, sub=subject)))).name == f"jwt:{ISSUER}#{subject}"


@pytest.mark.parametrize("subject", [None, "", 7, ["anna"], "x" * 256, "an\nna", "an\x00na", "\ud800", "an\u202ena"])
async def test_a_token_without_a_subject_that_can_be_written_down_is_nobody(subject: object, caplog: pytest.LogCaptureFixture) -> None:
    assert await why_not(sign(claims(CLOCK, sub=subject)), tokens(), caplog) == "it names no subject"


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
async def test_the_audience_may_be_one_of_several(audience: object) -> None:
    assert (await tokens().caller_of(sign(claims(CLOCK, aud=audience)))).name == ANNA


# ------------------------------------------------------------------ claims that do not hold


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"exp": NOW - 30}, "it has expired"),
        ({"exp": NOW - 86_400}, "it has expired"),
        ({"exp": -1}, "it has expired"),
        ({"exp": None}, "MissingRequiredClaimError"),
        ({"exp": "9999999999"}, "its exp is no number"),
        ({"exp": True}, "its exp is no number"),
        ({"exp": float("inf")}, "its exp is no instant"),
        ({"exp": float("nan")}, "its exp is no instant"),
        ({"exp": 10**400}, "its exp is no instant"),
        ({"nbf": NOW + 31}, "it is of the future (nbf)"),
        ({"nbf": "now"}, "its nbf is no number"),
        ({"iat": NOW + 31}, "it is of the future (iat)"),
        ({"iat": False}, "its iat is no number"),
        ({"iss": "https://login.example/realms/other"}, "InvalidIssuerError"),
        ({"iss": f"{ISSUER}/"}, "InvalidIssuerError"),
        ({"iss": ISSUER.upper()}, "InvalidIssuerError"),
        ({"iss": [ISSUER]}, "InvalidIssuerError"),
        ({"iss": None}, "MissingRequiredClaimError"),
        ({"aud": "other"}, "InvalidAudienceError"),
        ({"aud": f"{AUDIENCE} other"}, "InvalidAudienceError"),
        ({"aud": []}, "MissingRequiredClaimError"),
        ({"aud": [AUDIENCE, 7]}, "InvalidAudienceError"),
        ({"aud": {AUDIENCE: 1}}, "InvalidAudienceError"),
        ({"aud": None}, "MissingRequiredClaimError"),
    ],
)
async def test_a_token_for_another_time_or_place_is_refused(changes: dict[str, Any], why: str, caplog: pytest.LogCaptureFixture) -> None:
    payload = {**claims(CLOCK), **changes}
    assert await why_not(signed_as_it_is({name: value for name, value in payload.items() if value is not None}), tokens(), caplog) == why


def signed_as_it_is(payload: Mapping[str, object]) -> str:
    """Sign claims that the library would not write."""
    signing = parts({"alg": "RS256", "kid": "k1"}, payload)
    return f"{signing}.{encoded(rs256(signing.encode()))}"


def rs256(text: bytes) -> bytes:
    return RSAAlgorithm(RSAAlgorithm.SHA256).sign(text, rsa_key())


@pytest.mark.parametrize("changes", [{"exp": NOW - 29}, {"exp": NOW + 0.5}, {"nbf": NOW + 30}, {"iat": NOW + 30}, {"iat": None}])
async def test_clocks_may_be_half_a_minute_apart(changes: dict[str, Any]) -> None:
    assert (await tokens().caller_of(sign(claims(CLOCK, **changes)))).name == ANNA


async def test_how_far_clocks_may_be_apart_is_configured(caplog: pytest.LogCaptureFixture) -> None:
    assert await why_not(sign(claims(CLOCK, exp=NOW)), tokens(leeway_seconds=0), caplog) == "it has expired"


async def test_a_token_holds_until_its_time_is_over(caplog: pytest.LogCaptureFixture) -> None:
    clock, published, jwt = FakeClock(), Published(listed(rsa_key())), settings()
    known, token = Tokens(jwt, Keys(URL, jwt.algorithms, published.fetch, clock), clock), sign(claims(clock))
    clock.advance(timedelta(seconds=329).total_seconds())
    assert (await known.caller_of(token)).name == ANNA

    clock.advance(1)

    assert await why_not(token, known, caplog) == "it has expired"


# ------------------------------------------------------------------ signatures that are none


def unsigned() -> str:
    return parts({"alg": "none", "kid": "k1"}, claims(CLOCK)) + "."


def signed_with_the_public_key() -> str:
    """Take the public key, which everybody knows, for a shared secret."""
    secret = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signing = parts({"alg": "HS256", "kid": "k1"}, claims(CLOCK))
    return f"{signing}.{encoded(hmac.new(secret, signing.encode(), hashlib.sha256).digest())}"


def changed_afterwards() -> str:
    head, _, signature = sign(claims(CLOCK)).split(".")
    return f"{head}.{encoded(json.dumps(claims(CLOCK, permissions=['write'])).encode())}.{signature}"


OF_ANOTHER = rsa_key("attacker")
NO_KEY = "the issuer has no such key for this algorithm"
NOT_ALLOWED = "its algorithm is not one of [jwt]"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (unsigned, NOT_ALLOWED),
        (lambda: parts({"alg": "nOnE", "kid": "k1"}, claims(CLOCK)) + ".", NOT_ALLOWED),
        (lambda: parts({"alg": None, "kid": "k1"}, claims(CLOCK)) + ".", NOT_ALLOWED),
        (lambda: parts({"alg": ["RS256"], "kid": "k1"}, claims(CLOCK)) + ".", NOT_ALLOWED),
        (lambda: parts({"kid": "k1"}, claims(CLOCK)) + ".", NOT_ALLOWED),
        (signed_with_the_public_key, NOT_ALLOWED),
        (lambda: sign(claims(CLOCK), algorithm="RS384"), NOT_ALLOWED),
        (lambda: sign(claims(CLOCK), ec_key(), "ES256", kid="k2"), NOT_ALLOWED),
        (lambda: sign(claims(CLOCK), kid="k2"), NO_KEY),
        (lambda: sign(claims(CLOCK), rsa_key("enc"), kid="e"), NO_KEY),
        (lambda: sign(claims(CLOCK), kid="k9"), NO_KEY),
        (lambda: sign(claims(CLOCK), kid=""), NO_KEY),
        (lambda: sign(claims(CLOCK), kid="../../etc/passwd"), NO_KEY),
        (lambda: sign(claims(CLOCK), kid=None), "it names no key"),
        (lambda: parts({"alg": "RS256", "kid": 1}, claims(CLOCK)) + ".AAAA", "InvalidTokenError"),
        (lambda: sign(claims(CLOCK), OF_ANOTHER), "InvalidSignatureError"),
        (lambda: sign(claims(CLOCK), OF_ANOTHER, jwk=listed(OF_ANOTHER)), "InvalidSignatureError"),
        (lambda: sign(claims(CLOCK), OF_ANOTHER, jku="https://attacker.example/jwks"), "InvalidSignatureError"),
        (lambda: sign(claims(CLOCK), OF_ANOTHER, x5u="https://attacker.example/x"), "InvalidSignatureError"),
        (changed_afterwards, "InvalidSignatureError"),
        (lambda: sign(claims(CLOCK)).rpartition(".")[0] + ".", "InvalidSignatureError"),
        (lambda: sign(claims(CLOCK), crit=["exp"], exp=NOW), "InvalidTokenError"),
        (lambda: sign(claims(CLOCK), crit=[]), "InvalidTokenError"),
        (lambda: parts({"alg": "RS256", "kid": "k1", "crit": ["b64"], "b64": True}, claims(CLOCK)) + ".AAAA", "it needs an extension"),
        (lambda: parts({"alg": "RS256", "kid": "k1", "b64": False}, claims(CLOCK)) + ".AAAA", "DecodeError"),
        (lambda: signed_as_it_is(claims(CLOCK)).replace(".", ".."), "DecodeError"),
        (lambda: "a.b.c", "DecodeError"),
        (lambda: "..", "DecodeError"),
        (lambda: "", "DecodeError"),
        (lambda: encoded(b"[1]") + ".e30.AAAA", "DecodeError"),
        (lambda: encoded(b"[" * 5000) + ".e30.AAAA", "DecodeError"),
        (lambda: sign(claims(CLOCK)) + "å", "DecodeError"),
        (lambda: sign(claims(CLOCK)) + "\x00", "DecodeError"),
    ],
)
async def test_whoever_cannot_sign_for_the_issuer_is_refused(make: Callable[[], str], why: str, caplog: pytest.LogCaptureFixture) -> None:
    assert await why_not(make(), tokens(), caplog) == why


async def test_a_key_too_short_to_trust_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    short = rsa_key("short", 1024)
    with pytest.warns(Warning, match="1024 bits"):
        token = sign(claims(CLOCK), short)

    assert await why_not(token, tokens(Published(listed(short))), caplog) == "InvalidKeyError"


async def test_the_key_says_for_which_algorithm_it_is(caplog: pytest.LogCaptureFixture) -> None:
    known = tokens(Published(listed(rsa_key(), alg="PS256")), algorithms=["RS256", "PS256"])

    assert (await known.caller_of(sign(claims(CLOCK), algorithm="PS256"))).name == ANNA
    assert await why_not(sign(claims(CLOCK)), known, caplog) == NO_KEY


async def test_a_signature_of_a_curve_does_not_do_for_another(caplog: pytest.LogCaptureFixture) -> None:
    known = tokens(Published(listed(ec_key("P-384"))), algorithms=["ES256", "ES384"])

    assert (await known.caller_of(sign(claims(CLOCK), ec_key("P-384"), "ES384"))).name == ANNA
    assert await why_not(sign(claims(CLOCK), ec_key(), "ES256"), known, caplog) == NO_KEY


async def test_a_key_of_an_id_that_two_have_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    known = tokens(Published(listed(rsa_key()), listed(OF_ANOTHER), listed(rsa_key("third"), "k3")))

    assert await why_not(sign(claims(CLOCK)), known, caplog) == NO_KEY
    assert await why_not(sign(claims(CLOCK), OF_ANOTHER), known, caplog) == NO_KEY


async def test_a_token_of_a_new_key_is_let_in() -> None:
    clock, published, jwt = FakeClock(), Published(listed(rsa_key())), settings()
    known = Tokens(jwt, Keys(URL, jwt.algorithms, published.fetch, clock), clock)
    assert (await known.caller_of(sign(claims(clock)))).name == ANNA

    published.keys.append(listed(rsa_key("rotated"), "k2"))
    clock.advance(60)

    assert (await known.caller_of(sign(claims(clock), rsa_key("rotated"), kid="k2"))).name == ANNA


async def test_where_no_token_can_be_checked_that_is_said() -> None:
    published = Published()
    published.is_down = True

    with pytest.raises(KeysUnavailable) as refused:
        await tokens(published).caller_of(sign(claims(CLOCK)))

    assert refused.value.message == "tokens cannot be checked at present, as the keys of their issuer are not to be had; ask again later"


async def test_what_cannot_be_a_token_asks_the_issuer_for_nothing(caplog: pytest.LogCaptureFixture) -> None:
    published = Published(listed(rsa_key()))

    for make in (unsigned, signed_with_the_public_key, lambda: "a.b.c", lambda: sign(claims(CLOCK), kid=None)):
        await why_not(make(), tokens(published), caplog)

    assert published.asked == 0


async def test_no_part_of_a_token_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    for token in (sign(claims(CLOCK, sub="x" * 300)), sign(claims(CLOCK), kid="canary"), parts({"alg": "canary"}, {}) + ".", "canary.b.c"):
        await why_not(token, tokens(), caplog)
        assert not any(part and part in caplog.text for part in ("canary", *token.split(".")[:1]))


@given(st.lists(st.text(alphabet="abcdefXYZ019-_=", max_size=40), min_size=1, max_size=5), st.integers(0, 5))
def test_whatever_is_sent_is_refused_and_never_an_error_of_ours(pieces: list[str], cut: int) -> None:
    head, payload, signature = sign(claims(CLOCK)).split(".")
    shuffled = [head, payload, signature[: -1 - cut], *pieces][-3:] if cut % 2 else [head, *pieces]

    async def ask() -> None:
        with pytest.raises(NotAuthenticated):
            await tokens().caller_of(".".join(shuffled))

    asyncio.run(ask())
