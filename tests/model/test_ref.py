"""Global ids: opaque, stateless, one spelling an object."""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidInput
from gateway.model import Kind, Ref

SOURCES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", fullmatch=True)
NATIVE_IDS = st.text(max_size=100)
REFS = st.builds(Ref, SOURCES, st.sampled_from(Kind), NATIVE_IDS)
INVOICE = Ref("shop", Kind.INVOICE, "88121")


def packed(text: str | bytes) -> str:
    """Write what an id has inside as an id."""
    content = text.encode() if isinstance(text, str) else text
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def is_refused(global_id: str) -> bool:
    with pytest.raises(InvalidInput) as refused:
        Ref.from_global_id(global_id)
    return refused.value.message == "id: this is no id of this gateway"


@given(REFS)
def test_an_id_is_read_back_to_the_key_it_was_made_from(ref: Ref) -> None:
    assert Ref.from_global_id(ref.global_id) == ref


@pytest.mark.parametrize(
    "native_id",
    ["5512/12", "order/70213/billto", "../../etc", "a b", "a\r\nb", "'\"?#&%", "Åäö ☕ 漢字 🥐", '["i","x","y"]', "\x00", "", "{", "\\"],
)
def test_composite_and_odd_keys_survive(native_id: str) -> None:
    ref = Ref("commerce", Kind.ORDER, native_id)

    assert Ref.from_global_id(ref.global_id).native_id == native_id


@given(REFS)
def test_an_id_needs_no_escaping_in_a_url_and_has_no_padding(ref: Ref) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]+", ref.global_id)


@given(REFS, REFS)
def test_two_objects_never_share_an_id(one: Ref, other: Ref) -> None:
    assert (one.global_id == other.global_id) == (one == other)


def test_an_id_stays_what_it_was_as_clients_keep_it() -> None:
    assert INVOICE.global_id == "WyJpIiwic2hvcCIsIjg4MTIxIl0"


def test_another_key_that_came_along_is_no_part_of_the_identity() -> None:
    hinted = Ref("shop", Kind.ORDER, "55012", hint="3/UTR-2026-00431")
    bare = Ref("shop", Kind.ORDER, "55012")

    assert (hinted, hinted.global_id, hash(hinted)) == (bare, bare.global_id, hash(bare))


@given(st.text())
def test_what_is_no_id_is_refused_and_nothing_else_is_raised(text: str) -> None:
    try:
        ref = Ref.from_global_id(text)
    except InvalidInput:
        return
    assert ref.global_id == text


@given(st.binary(max_size=200))
def test_what_only_looks_like_an_id_is_refused_and_nothing_else_is_raised(content: bytes) -> None:
    global_id = packed(content)
    try:
        ref = Ref.from_global_id(global_id)
    except InvalidInput:
        return
    assert ref.global_id == global_id


@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "{}",
        "[]",
        '["i","shop"]',
        '["i","shop","88121","more"]',
        '["x","shop","88121"]',
        '["I","shop","88121"]',
        '["","shop","88121"]',
        '["i","shop",88121]',
        '["i",null,"88121"]',
        '[["i"],"shop","88121"]',
        '{"0":"i","1":"shop","2":"88121"}',
        '["i","shop","88121"',
        '["i","shop","88121"]]',
        "[" * 600,
        b'["i","shop","\xff"]',
        '["i","shop","\\ud800"]',
    ],
)
def test_other_content_is_refused(content: str | bytes) -> None:
    assert is_refused(packed(content))


@pytest.mark.parametrize(
    "content", ['["i", "shop", "88121"]', '["i","shop","8812\\u0031"]', ' ["i","shop","88121"]', '["i","shop","88121"]\n']
)
def test_the_same_key_in_another_json_spelling_is_refused(content: str) -> None:
    assert json.loads(content) == json.loads('["i","shop","88121"]')
    assert is_refused(packed(content))


@pytest.mark.parametrize("padding", ["=", "==", "===", "===="])
def test_an_id_with_padding_is_refused(padding: str) -> None:
    assert is_refused(INVOICE.global_id + padding)


def test_the_alphabet_of_plain_base64_is_refused() -> None:
    ref = Ref("shop", Kind.ORDER, "??>>ÿ")
    plain = ref.global_id.replace("-", "+").replace("_", "/")

    assert plain != ref.global_id
    assert is_refused(plain)


def test_unused_bits_of_the_last_character_are_no_second_spelling() -> None:
    # The last character of a length of 3 (mod 4) carries two bits that decode to nothing.
    assert len(INVOICE.global_id) % 4 == 3
    assert INVOICE.global_id.endswith("0")
    assert is_refused(INVOICE.global_id[:-1] + "1")


@pytest.mark.parametrize("extra", [" ", "\n", "\t", "\r\n", "\x00", "A", "!"])
def test_anything_around_an_id_is_refused(extra: str) -> None:
    assert is_refused(INVOICE.global_id + extra)
    assert is_refused(extra + INVOICE.global_id)


def test_an_id_of_1024_characters_is_read_and_a_longer_one_refused() -> None:
    fits = Ref("shop", Kind.INVOICE, "9" * 753)
    over = Ref("shop", Kind.INVOICE, "9" * 754)

    assert (len(fits.global_id), len(over.global_id)) == (1024, 1026)
    assert Ref.from_global_id(fits.global_id) == fits
    assert is_refused(over.global_id)
