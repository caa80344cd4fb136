"""Documents: decoded, checked, named."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MalformedAnswer
from gateway.model import Document, DocumentContent, Kind, Ref
from gateway.sources.base import Answer, Fetch
from gateway.sources.decode import Malformed, decode
from gateway.sources.shopctrl.documents import to_content
from gateway.sources.shopctrl.payloads import FilePayload
from gateway.sources.shopctrl.source import ShopctrlSource
from gateway.transport import Response
from tests.fakes import FakeWire, answer, make_parts, make_scope
from tests.sources.shopctrl.samples import FILE, INVOICE, OPTIONS

pytestmark = pytest.mark.anyio

DOCUMENT = Document("990017", "application/pdf", "F2026-0117.pdf")
REF = Ref("shop", Kind.INVOICE, "88121")


def content_of(**fields: object) -> DocumentContent:
    payload = decode(json.dumps({**json.loads(FILE), **fields}).encode(), FilePayload)
    return to_content(payload, DOCUMENT)


def test_a_file_is_decoded_and_named() -> None:
    assert content_of() == DocumentContent(b"%PDF-1.4", "application/pdf", "F2026-0117.pdf")


@pytest.mark.parametrize(
    "checksum",
    [None, "", "18284A4FD0967804C9A02CB5BE86798B54509153", "18-28-4A-4F-D0-96-78-04-C9-A0-2C-B5-BE-86-79-8B-54-50-91-53"],
)
def test_a_checksum_may_be_missing_or_written_as_dot_net_does(checksum: str | None) -> None:
    assert content_of(Checksum=checksum, FileLength=None).content == b"%PDF-1.4"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Checksum", "0" * 40),
        ("Checksum", "not hex"),
        ("FileLength", 9),
        ("FileLength", 0),
        ("Base64Data", None),
        ("Base64Data", ""),
        ("Base64Data", "JVBERi0xLjQ"),
        ("Base64Data", "JVBERi0xLjé="),
    ],
)
def test_a_file_that_is_not_what_it_says_is_malformed_and_the_field_is_named(field: str, value: object) -> None:
    with pytest.raises(Malformed, match=f"^{field}: "):
        content_of(**{field: value})


@pytest.mark.parametrize("data", ["JVBERi0x\r\nLjQ=", "JVBERi0xLjQ=\n", " JVBE Ri0xLjQ="])
def test_base64_may_be_broken_into_lines(data: str) -> None:
    assert content_of(Base64Data=data).content == b"%PDF-1.4"


@given(st.binary(min_size=1))
def test_any_content_comes_as_it_was_kept(content: bytes) -> None:
    data = base64.b64encode(content).decode()
    checksum = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    assert content_of(Base64Data=data, Checksum=checksum, FileLength=len(content)).content == content


@pytest.mark.parametrize(
    ("filename", "media_type", "name"),
    [
        (None, "application/pdf", "F2026-0117.pdf"),
        ("", "application/pdf", "F2026-0117.pdf"),
        ("Factuur 7.PDF", "application/pdf", "Factuur_7.PDF"),
        ("factuur", "application/pdf", "factuur"),
        ("ubl.xml", "application/xml", "ubl.xml"),
        ("page.html", "application/octet-stream", "page.html"),
        ("../../etc/passwd\r\n.pdf", "application/pdf", "_._.._etc_passwd__.pdf"),
    ],
)
def test_the_name_says_what_it_is_and_has_safe_characters_alone(filename: str | None, media_type: str, name: str) -> None:
    content = content_of(Filename=filename)
    assert (content.media_type, content.file_name) == (media_type, name)


# ------------------------------------------------------------------ calls


async def fetch(invoice: Response, file: Response) -> tuple[Answer, FakeWire]:
    parts, wire = make_parts(OPTIONS, lambda request: file if "/Files/" in request.url else invoice, key="shop", system="SHOPCTRL")
    (found,) = await ShopctrlSource(parts).fetch_many(Fetch.DOCUMENT, [REF], make_scope())
    return found, wire


async def test_a_document_is_two_calls_the_invoice_and_the_file_that_it_names() -> None:
    found, wire = await fetch(answer(INVOICE), answer(FILE))
    assert found == DocumentContent(b"%PDF-1.4", "application/pdf", "F2026-0117.pdf")
    assert [request.url.split("/base", 1)[-1] for request in wire.requests] == [
        "/v1/Invoices/88121?includeDeleted=true",
        "/v1/Files/990017",
    ]


async def test_without_a_file_there_is_no_document_and_no_second_call() -> None:
    found, wire = await fetch(answer(INVOICE.replace("990017", "null")), answer(FILE))
    assert (found, len(wire.requests)) == (None, 1)
    found, wire = await fetch(answer("", 404), answer(FILE))
    assert (found, len(wire.requests)) == (None, 1)


async def test_a_file_that_is_not_there_is_no_document() -> None:
    found, _ = await fetch(answer(INVOICE), answer("", 404))
    assert found is None


async def test_a_wrong_checksum_is_a_typed_error_that_names_it() -> None:
    found, _ = await fetch(answer(INVOICE), answer(FILE.replace("18284a", "000000")))
    assert isinstance(found, MalformedAnswer)
    assert found.operation == "GET v1/Files/{fileId}"
    assert "Checksum" in found.message


async def test_another_file_than_was_asked_for_is_a_failure() -> None:
    found, _ = await fetch(answer(INVOICE), answer(FILE.replace("990017", "990018")))
    assert isinstance(found, MalformedAnswer)
