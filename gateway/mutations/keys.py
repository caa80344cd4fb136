"""Idempotency keys: their form, the native id that source, caller and key make together, and what tells one input from another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final
from uuid import UUID, uuid5

from gateway.errors import InvalidInput
from gateway.model import UserError, UserErrorCode

MAX_LENGTH: Final = 255
_NAMESPACE: Final = UUID("6f1f5d1c-52a5-5c8e-9d86-3f6b1a0f6c11")


def choose_key(argument: str | None, header: str | None) -> str | None:
    """Give the key of a mutation from its argument or the header `Idempotency-Key`; raises when they differ."""
    if argument is not None and header is not None and argument != header:
        raise InvalidInput("idempotencyKey: it differs from the header Idempotency-Key; send one of them")
    return header if argument is None else argument


def check_key(key: str | None) -> UserError | None:
    """Say what is wrong with a key that a write needs: 1-255 printable ASCII characters."""
    if key is None:
        message = "a write needs an idempotencyKey, one for each intent and kept across retries (or the header Idempotency-Key)"
        return UserError(UserErrorCode.REQUIRED, message, ("idempotencyKey",))
    if not 1 <= len(key) <= MAX_LENGTH or not all(" " <= character <= "~" for character in key):
        return UserError(UserErrorCode.INVALID, f"a key has 1 to {MAX_LENGTH} printable ASCII characters", ("idempotencyKey",))
    return None


def native_id(source: str, caller: str, key: str) -> UUID:
    """Make the id of what a write creates, so that a repeat carries the same one: UUIDv5 of source, caller and key."""
    return uuid5(_NAMESPACE, f"{source}\x1f{caller}\x1f{key}")


def input_hash(arguments: Mapping[str, object]) -> str:
    """Make a text that is the same for the same arguments only: those that were given, whether in the document or as variables."""
    text = json.dumps(arguments, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
