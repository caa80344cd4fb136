"""Undo the content coding of an answer, never giving more than a bound: a small answer may inflate to any size."""

from __future__ import annotations

import zlib
from typing import Final

from gateway.transport.wire import AnswerUnreadable

ACCEPTED: Final = "gzip, deflate"
"""What a request may name in Accept-Encoding."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_BARE: Final = -zlib.MAX_WBITS


def inflate(body: bytes, coding: str, limit: int) -> bytes:
    """Give the body as it was before `coding`, a Content-Encoding; raises `AnswerUnreadable` also when it has over `limit` bytes."""
    match coding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _inflate(body, _GZIP, limit)
        case "deflate":
            # RFC 9110 means a zlib stream; some servers send the bare one (8.4.1.2 says so).
            return _inflate(body, _ZLIB if _has_zlib_header(body) else _BARE, limit)
        case _:  # also several codings, whose sizes would multiply; none of them was asked for
            raise AnswerUnreadable("the answer has an encoding that was not asked for")


def _inflate(body: bytes, window_bits: int, limit: int) -> bytes:
    if not body:
        return body
    inflater = zlib.decompressobj(window_bits)
    try:
        plain = inflater.decompress(body, limit + 1)
    except zlib.error:
        raise AnswerUnreadable("the answer is not encoded as it says") from None
    if len(plain) > limit:
        raise AnswerUnreadable(f"the answer is larger than {limit} bytes")
    if not inflater.eof or inflater.unused_data:
        raise AnswerUnreadable("the answer is not encoded as it says")
    return plain


def _has_zlib_header(body: bytes) -> bool:
    return len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0
