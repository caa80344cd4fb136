from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidInput
from gateway.model import UserErrorCode
from gateway.mutations import check_key, choose_key, native_id

PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255)
SOURCES = st.from_regex(r"[A-Za-z0-9_-]{1,63}", fullmatch=True)
CALLERS = st.text(max_size=40)


def code_of(key: str | None) -> UserErrorCode | None:
    mistake = check_key(key)
    return None if mistake is None else mistake.code


@given(PRINTABLE)
def test_a_key_of_1_to_255_printable_ascii_characters_is_taken(key: str) -> None:
    assert check_key(key) is None


@pytest.mark.parametrize("key", ["", "a" * 256, "tab\there", "line\n", "del\x7f", "öre", "nul\x00", "\u00a0"])
def test_any_other_key_is_invalid(key: str) -> None:
    mistake = check_key(key)
    assert mistake is not None
    assert (mistake.code, mistake.field) == (UserErrorCode.INVALID, ("idempotencyKey",))


def test_the_longest_key_has_255_characters() -> None:
    assert [code_of("a" * 255), code_of("a" * 256)] == [None, UserErrorCode.INVALID]


def test_a_write_without_a_key_is_told_that_it_needs_one() -> None:
    mistake = check_key(None)
    assert mistake is not None
    assert (mistake.code, mistake.field) == (UserErrorCode.REQUIRED, ("idempotencyKey",))


@pytest.mark.parametrize(
    ("argument", "header", "key"),
    [("a", None, "a"), (None, "a", "a"), ("a", "a", "a"), (None, None, None), ("", None, ""), (None, "", "")],
)
def test_the_key_is_the_argument_or_the_header(argument: str | None, header: str | None, key: str | None) -> None:
    assert choose_key(argument, header) == key


@pytest.mark.parametrize(("argument", "header"), [("a", "b"), ("", "a"), ("a", ""), ("a", "A")])
def test_an_argument_that_differs_from_the_header_is_refused(argument: str, header: str) -> None:
    with pytest.raises(InvalidInput, match="it differs from the header Idempotency-Key"):
        choose_key(argument, header)


def test_the_native_id_of_a_write_never_changes_between_releases() -> None:
    assert native_id("pos", "billing", "INV-1") == UUID("f8364710-2165-5218-8618-d4d500fa896c")


def test_the_native_id_is_a_name_based_uuid() -> None:
    made = native_id("pos", "billing", "INV-1")
    assert (made.version, made.variant) == (5, "specified in RFC 4122")


@given(st.tuples(SOURCES, CALLERS, PRINTABLE), st.tuples(SOURCES, CALLERS, PRINTABLE))
def test_two_writes_share_a_native_id_only_when_source_caller_and_key_are_the_same(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert (native_id(*one) == native_id(*other)) == (one == other)


@pytest.mark.parametrize("other", [("shop", "billing", "INV-1"), ("pos", "frontend", "INV-1"), ("pos", "billing", "INV-2")])
def test_the_native_id_differs_by_source_caller_and_key(other: tuple[str, str, str]) -> None:
    assert native_id(*other) != native_id("pos", "billing", "INV-1")


def test_parts_that_only_read_alike_when_joined_have_different_native_ids() -> None:
    assert native_id("pos", "abc", "d") != native_id("pos", "ab", "cd")
