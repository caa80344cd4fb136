"""A request as the bytes of HTTP/1.1. What a server might read in another way than it is meant is not written at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from gateway.transport.inflate import ACCEPTED

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET: Final = re.compile(r"[\x21-\x7e]+")
_VALUE: Final = re.compile(r"(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?")
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
_HAS_LENGTH: Final = frozenset({"PATCH", "POST", "PUT"})
"""Methods that a server expects a body with: that there is none is said (RFC 9110, 8.6)."""


def to_header(authority: str, rows: Iterable[tuple[str, str]]) -> str:
    """Write the lines of a header, with Host and Accept-Encoding where `rows` do not have them.

    Raises `ValueError` for a row that cannot be written, and for one about the length, which is not for others to say.
    """
    header = {"host": authority, "accept-encoding": ACCEPTED}
    for name, value in rows:
        if not (_TOKEN.fullmatch(name) and _VALUE.fullmatch(value)):
            raise ValueError("no header")
        header[name.lower()] = value
    if not _FRAMING.isdisjoint(header):
        raise ValueError("the length is not for others to say")
    return "".join([f"{name}: {value}\r\n" for name, value in header.items()])


def to_bytes(method: str, target: str, header: str, content: bytes | None) -> bytes:
    """Write a request with its length; raises `ValueError` for a method or target that cannot be written."""
    if not (_TOKEN.fullmatch(method) and _TARGET.fullmatch(target)):
        raise ValueError("no method or no target")
    if content is None and method not in _HAS_LENGTH:
        return f"{method} {target} HTTP/1.1\r\n{header}\r\n".encode("ascii")
    body = content or b""
    return f"{method} {target} HTTP/1.1\r\n{header}content-length: {len(body)}\r\n\r\n".encode("ascii") + body
