"""Reading answers off the wire."""

from __future__ import annotations

import pytest

from tests.bench.load import NoAnswer, body_of

_COUNTED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n"
_CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "part", [b"", b"HTTP/1.1 200 OK\r\n", _COUNTED, _COUNTED + b"tru", _CHUNKED, _CHUNKED + b"4\r\ntr", _CHUNKED + b"4\r\ntrue\r\n"]
)
def test_an_answer_that_is_not_whole_has_no_body_yet(part: bytes) -> None:
    assert body_of(part) is None


def test_a_counted_body_is_whole_at_its_length() -> None:
    assert body_of(_COUNTED + b"true") == b"true"


def test_chunks_are_joined() -> None:
    assert body_of(_CHUNKED + b"2\r\ntr\r\n2;x=1\r\nue\r\n0\r\n\r\n") == b"true"


def test_another_status_than_200_is_no_answer() -> None:
    with pytest.raises(NoAnswer, match=r"HTTP/1\.1 503 Service Unavailable"):
        body_of(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
