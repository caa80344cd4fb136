from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.inflate import inflate
from gateway.transport.wire import AnswerUnreadable


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "deflate"]))
def test_what_was_compressed_comes_back_and_a_byte_less_of_room_refuses_it(content: bytes, coding: str) -> None:
    body = gzip.compress(content) if coding == "gzip" else zlib.compress(content)
    assert inflate(body, coding, len(content)) == content
    if content:
        with pytest.raises(AnswerUnreadable):
            inflate(body, coding, len(content) - 1)


@given(st.binary(min_size=1, max_size=200), st.sampled_from(["gzip", "deflate"]))
def test_no_bytes_at_all_are_more_than_unreadable(body: bytes, coding: str) -> None:
    try:
        inflate(body, coding, 10_000)
    except AnswerUnreadable as error:
        assert str(error) in {"the answer is not encoded as it says", "the answer is larger than 10000 bytes"}  # noqa: PT017  (random bytes may be fine)


def test_a_bomb_takes_no_more_memory_than_is_allowed() -> None:
    bomb = gzip.compress(b"\x00" * 50_000_000, compresslevel=1)
    tracemalloc.start()
    try:
        with pytest.raises(AnswerUnreadable, match=r"^the answer is larger than 1000000 bytes$"):
            inflate(bomb, "gzip", 1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000
