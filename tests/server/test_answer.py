"""The bytes of an answer."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.errors import InvalidInput
from gateway.schema.scalars import JSON, SCALARS
from gateway.server.answer import encode, show_refusal


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("5.0", b"5.0"),
        ("0.10", b"0.10"),
        ("1E+2", b"100"),
        ("-0.00", b"-0.00"),
        ("1E-7", b"0.0000001"),
        ("0.00000000", b"0.00000000"),
        ("12345678901234567890.5", b"12345678901234567890.5"),
    ],
)
def test_a_decimal_in_raw_json_is_a_number_with_its_scale_in_plain_notation(amount: str, text: bytes) -> None:
    serialize = SCALARS[JSON].serialize
    assert serialize is not None

    assert encode({"raw": serialize([{"amount": Decimal(amount)}])}) == b'{"raw":[{"amount":' + text + b"}]}"


def test_text_is_written_as_it_is() -> None:
    assert encode({"name": "Åkeri ☕", "none": None, "yes": True, "n": 2**70}) == (
        b'{"name":"\xc3\x85keri \xe2\x98\x95","none":null,"yes":true,"n":1180591620717411303424}'
    )


def test_a_refusal_has_message_code_and_request() -> None:
    assert show_refusal(InvalidInput("no"), "abc") == {
        "errors": [{"message": "no", "extensions": {"code": "BAD_USER_INPUT", "requestId": "abc"}}]
    }
