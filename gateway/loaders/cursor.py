"""Cursors of lists: where to go on, in which source, for which list. Opaque to clients; they survive a restart."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import fields
from typing import Final

from gateway.errors import InvalidCursor
from gateway.model import Criteria, value

_VERSION: Final = 1
_MAX_LENGTH: Final = 4096
_MESSAGE: Final = "after: this cursor was made for another list, or by another version"


@value(frozen=True, slots=True)
class Cursor:
    """A place in a list: behind `position` of `source` (None: at its start).

    `failed`: sources before it that could not be read, each with the code and where it failed. `alone`: go on with this source only.
    """

    source: str
    position: str | None
    failed: tuple[tuple[str, str, str | None], ...] = ()
    alone: bool = False


def fingerprint(criteria: Criteria, sources: tuple[str, ...] | None, order: str) -> str:
    """Make a short text that is the same for the same list only."""
    values = [(field.name, repr(_stable(getattr(criteria, field.name)))) for field in fields(criteria)]
    text = json.dumps([values, sources, order], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stable(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else value


def write_cursor(cursor: Cursor, list_fingerprint: str) -> str:
    """Write a cursor as opaque text."""
    parts = [_VERSION, list_fingerprint, cursor.source, cursor.position, cursor.failed, cursor.alone]
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read_cursor(text: str, list_fingerprint: str) -> Cursor:
    """Read a cursor of this very list; raises `InvalidCursor` for any other."""
    match _unpack(text):
        case [int(version), str(made_for), str(source), str() | None as position, list(failed), bool(alone)] if (
            version == _VERSION and made_for == list_fingerprint
        ):
            return Cursor(source, position, tuple(_failure(item) for item in failed), alone)
        case _:
            raise InvalidCursor(_MESSAGE)


def _failure(item: object) -> tuple[str, str, str | None]:
    match item:
        case [str(source), str(code), str() | None as position]:
            return source, code, position
        case _:
            raise InvalidCursor(_MESSAGE)


def _unpack(text: str) -> object:
    if not text or len(text) > _MAX_LENGTH:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        value = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, binascii.Error, RecursionError):
        return None
    return value
