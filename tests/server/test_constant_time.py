"""What is compared with a secret is compared as long as it takes, whatever it is."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from gateway.errors import NotAuthenticated
from gateway.server import LinkSigner
from gateway.server.callers import Callers
from gateway.settings import CallerSettings
from tests.fakes import FakeClock

KEYS = ("first", "second", "third")


class Watched:
    """Compares as `hmac` does, and counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self._compare = hmac.compare_digest
        monkeypatch.setattr(hmac, "compare_digest", self)

    def __call__(self, left: bytes, right: bytes) -> bool:
        self.count += 1
        return self._compare(left, right)


def caller(key: str) -> CallerSettings:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return CallerSettings.model_validate({"name": key, "key_sha256": digest, "permissions": ["read"], "sources": ["*"]})


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_compared_with_all_keys_wherever_it_is_found(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)

    assert (Callers(map(caller, KEYS)).with_key(key).name, watched.count) == (key, 3)


def test_a_key_that_is_not_known_is_compared_with_all_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)

    with pytest.raises(NotAuthenticated):
        Callers(map(caller, KEYS)).with_key("fourth")
    assert watched.count == 3


def test_the_signature_of_a_link_is_compared_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)

    with pytest.raises(NotAuthenticated):
        LinkSigner(b"key", FakeClock()).check("id", "1", "0" * 64)
    assert watched.count == 1
