"""`GET /documents/{id}` and the links to it, over the sandbox: who may read a file, and that it is the right one."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from gateway.errors import NotAuthenticated
from gateway.model import Kind, Ref
from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from gateway.server import LinkSigner
from tests.fakes import FakeClock
from tests.graph import SERVER, Graph, open_graph

pytestmark = pytest.mark.anyio

DOCUMENT = "query ($id: ID!) { node(id: $id) { ... on Invoice { document { fileId mediaType fileName url } } } }"
LINK = "query ($id: ID!, $seconds: Int!) { node(id: $id) { ... on Invoice { document { temporaryUrl(seconds: $seconds) } } } }"
KEY, OTHER_KEY, BLIND_KEY = "the-key-of-billing", "the-key-of-another", "a-key-that-reads-nothing"
CALLERS = [
    {"name": "billing", "key_sha256": hashlib.sha256(KEY.encode()).hexdigest(), "permissions": ["read"], "sources": ["shop"]},
    {"name": "till", "key_sha256": hashlib.sha256(OTHER_KEY.encode()).hexdigest(), "permissions": ["read"], "sources": ["pos"]},
    {"name": "blind", "key_sha256": hashlib.sha256(BLIND_KEY.encode()).hexdigest(), "permissions": ["write"], "sources": ["*"]},
]


def invoice_id(key: object, source: str = "shop") -> str:
    return Ref(source, Kind.INVOICE, str(key)).global_id


INVOICE = invoice_id(88010)
PATH = f"/documents/{INVOICE}"


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def code_of(answer: httpx.Response) -> str:
    code: str = answer.json()["errors"][0]["extensions"]["code"]
    return code


@pytest.fixture(scope="module")
async def shared_open(shared_sandbox: RunningSandbox) -> AsyncIterator[Graph]:
    async with open_graph(shared_sandbox) as opened:
        yield opened


@pytest.fixture(scope="module")
async def shared_closed(shared_sandbox: RunningSandbox) -> AsyncIterator[Graph]:
    async with open_graph(shared_sandbox, callers=CALLERS, server={**SERVER, "signing_key": "a key of sixteen bytes and more"}) as opened:
        yield opened


@pytest.fixture
def graph(shared_open: Graph, sandbox: RunningSandbox) -> Graph:
    """A gateway open to everybody, which keeps nothing of documents between requests."""
    del sandbox
    return shared_open


@pytest.fixture
def closed(shared_closed: Graph, sandbox: RunningSandbox) -> Graph:
    """A gateway that knows its callers and signs links."""
    del sandbox
    return shared_closed


async def link(graph: Graph, seconds: int = 300, *, of: str = INVOICE) -> str:
    data = await graph.data(LINK, {"id": of, "seconds": seconds}, authorization=f"Bearer {KEY}")
    url: str = data["node"]["document"]["temporaryUrl"]
    return url


# ------------------------------------------------------------------ the file


async def test_a_document_is_sent_with_its_name_type_length_and_tag(graph: Graph) -> None:
    document = (await graph.data(DOCUMENT, {"id": INVOICE}))["node"]["document"]
    graph.running.sandbox.reset_calls()

    answer = await graph.client.get(document["url"])

    assert document["url"] == PATH
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["content-type"] == document["mediaType"] == "application/pdf"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    name = document["fileName"]
    assert answer.headers["content-disposition"] == f"inline; filename=\"{name}\"; filename*=UTF-8''{name}"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert graph.calls() == {"shopctrl.GetInvoice": 1, "shopctrl.GetFile": 1}


async def test_asking_what_a_document_is_called_costs_no_call_for_it(graph: Graph) -> None:
    await graph.data(DOCUMENT, {"id": INVOICE})
    assert graph.calls() == {"shopctrl.GetInvoice": 1}


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
async def test_a_client_that_has_the_document_is_told_so_without_its_content(graph: Graph, form: str) -> None:
    tag = (await graph.client.get(PATH)).headers["etag"]

    answer = await graph.client.get(PATH, headers={"if-none-match": form.format(tag=tag)})

    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)


async def test_a_client_that_has_another_version_gets_the_document(graph: Graph) -> None:
    answer = await graph.client.get(PATH, headers={"if-none-match": '"another"'})
    assert answer.status_code == 200


async def test_a_file_that_is_not_what_its_checksum_says_is_never_sent(graph: Graph, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.change_switches("shopctrl", {"wrong_checksum": True})

    answer = await graph.client.get(PATH)

    assert (answer.status_code, code_of(answer)) == (502, "UPSTREAM_BAD_RESPONSE")
    assert answer.json()["errors"][0]["extensions"]["source"] == "shop"
    assert b"%PDF" not in answer.content


@pytest.mark.parametrize(("kind", "code"), [("status", "UPSTREAM_UNAVAILABLE"), ("malformed", "UPSTREAM_BAD_RESPONSE")])
@pytest.mark.parametrize("operation", ["GetInvoice", "GetFile"])
async def test_a_document_that_cannot_be_read_is_an_upstreams_failure(graph: Graph, operation: str, kind: str, code: str) -> None:
    fault = {"system": "shopctrl", "operation": operation, "kind": kind, "status": 500 if kind == "status" else None}
    graph.running.sandbox.faults.add(Fault(**fault))  # type: ignore[arg-type]  # one of its kinds

    answer = await graph.client.get(PATH)

    assert (answer.status_code, code_of(answer)) == (502, code)


@pytest.mark.parametrize(
    "absent",
    [invoice_id(88013), invoice_id(777), invoice_id(50911, "commerce"), invoice_id(1, "nobody")],
    ids=["an invoice without a document", "no invoice", "an invoice of a source without documents", "no source"],
)
async def test_what_has_no_document_is_not_found(graph: Graph, absent: str) -> None:
    answer = await graph.client.get(f"/documents/{absent}")
    assert (answer.status_code, code_of(answer)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "garbage", ["garbage", "%00", "W10", f"{INVOICE}=", Ref("shop", Kind.ORDER, "54712").global_id, invoice_id("no number")]
)
async def test_what_is_no_id_of_an_invoice_is_refused_without_a_call(graph: Graph, garbage: str) -> None:
    answer = await graph.client.get(f"/documents/{garbage}")

    assert (answer.status_code, code_of(answer)) == (400, "BAD_USER_INPUT")
    assert graph.calls() == {}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_document_can_only_be_read(graph: Graph, method: str) -> None:
    answer = await graph.client.request(method, PATH)

    assert answer.status_code == 405
    assert graph.calls() == {}


async def test_the_head_of_a_document_is_its_answer_without_content(graph: Graph) -> None:
    whole, head = await graph.client.get(PATH), await graph.client.head(PATH)

    assert (head.status_code, head.headers["content-length"], head.headers["etag"]) == (
        200,
        whole.headers["content-length"],
        whole.headers["etag"],
    )


# ------------------------------------------------------------------ callers


async def test_a_document_needs_the_key_of_a_caller(closed: Graph) -> None:
    answer = await closed.client.get(PATH)

    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert closed.calls() == {}


async def test_a_key_that_is_not_known_is_turned_away(closed: Graph) -> None:
    answer = await closed.client.get(PATH, headers=bearer("no key of ours"))
    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")


async def test_a_caller_who_may_not_read_is_turned_away(closed: Graph) -> None:
    answer = await closed.client.get(PATH, headers=bearer(BLIND_KEY))

    assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")
    assert closed.calls() == {}


async def test_a_caller_gets_documents_of_its_sources(closed: Graph) -> None:
    answer = await closed.client.get(PATH, headers=bearer(KEY))
    assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")


async def test_a_source_that_a_caller_may_not_see_does_not_exist_for_it(closed: Graph) -> None:
    answer = await closed.client.get(PATH, headers=bearer(OTHER_KEY))

    assert (answer.status_code, code_of(answer)) == (404, "NOT_FOUND")
    assert closed.calls() == {}


# ------------------------------------------------------------------ signed links


async def test_a_signed_link_opens_its_document_without_a_key(closed: Graph) -> None:
    url = await link(closed)

    answer = await closed.client.get(url)

    assert url.startswith(f"{PATH}?")
    assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")


async def test_a_signed_link_holds_for_as_many_seconds_as_asked_and_no_call_is_made_to_sign_it(closed: Graph) -> None:
    short, long = [int(parse_qs(urlsplit(await link(closed, seconds)).query)["expires"][0]) for seconds in (1, 900)]

    assert 898 <= long - short <= 901
    assert closed.calls() == {"shopctrl.GetInvoice": 2}


async def test_a_signed_link_opens_no_other_document(closed: Graph) -> None:
    query = urlsplit(await link(closed)).query

    answer = await closed.client.get(f"/documents/{invoice_id(88011)}?{query}")

    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")
    assert closed.calls() == {"shopctrl.GetInvoice": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"expires": "99999999999"},
        {"expires": "soon"},
        {"expires": ""},
        {"signature": "0" * 64},
        {"signature": ""},
        {"signature": "å"},
    ],
    ids=str,
)
async def test_a_link_that_was_tampered_with_is_refused(closed: Graph, change: dict[str, str]) -> None:
    query = {name: values[0] for name, values in parse_qs(urlsplit(await link(closed)).query).items()}

    answer = await closed.client.get(PATH, params={**query, **change})

    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("kept", ["expires", "signature"])
async def test_half_a_link_is_none(closed: Graph, kept: str) -> None:
    query = parse_qs(urlsplit(await link(closed)).query)

    answer = await closed.client.get(PATH, params={kept: query[kept][0]})

    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("seconds", [0, -1, 901, 2_000_000_000])
async def test_a_link_for_no_time_or_too_long_is_refused_by_name(closed: Graph, seconds: int) -> None:
    answer = await closed.ask(LINK, {"id": INVOICE, "seconds": seconds}, authorization=f"Bearer {KEY}")

    assert answer["data"]["node"]["document"]["temporaryUrl"] is None
    assert [(error["extensions"]["code"], error["message"].partition(":")[0]) for error in answer["errors"]] == [
        ("BAD_USER_INPUT", "seconds")
    ]


async def test_without_a_signing_key_there_are_no_links(graph: Graph) -> None:
    assert (await graph.data(LINK, {"id": INVOICE, "seconds": 300}))["node"]["document"]["temporaryUrl"] is None


async def test_without_a_signing_key_a_link_of_another_gateway_opens_nothing(closed: Graph, sandbox: RunningSandbox) -> None:
    url = await link(closed)
    async with open_graph(sandbox, callers=CALLERS) as other:
        answer = await other.client.get(url)

    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")


async def test_a_link_of_a_gateway_with_another_key_opens_nothing(closed: Graph, sandbox: RunningSandbox) -> None:
    url = await link(closed)
    async with open_graph(sandbox, callers=CALLERS, server={**SERVER, "signing_key": "another key of sixteen bytes"}) as other:
        answer = await other.client.get(url)

    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")


def test_a_link_holds_until_its_second_and_not_after_it() -> None:
    clock = FakeClock()
    signer = LinkSigner(b"a key", clock)
    query = {name: values[0] for name, values in parse_qs(urlsplit(signer.sign("abc", 300)).query).items()}

    clock.advance(300)
    signer.check("abc", query["expires"], query["signature"])
    clock.advance(1)
    with pytest.raises(NotAuthenticated, match="expired"):
        signer.check("abc", query["expires"], query["signature"])


def test_a_link_is_known_by_the_invoice_and_the_moment_together() -> None:
    signer = LinkSigner(b"a key", FakeClock())
    query = {name: values[0] for name, values in parse_qs(urlsplit(signer.sign("abc", 300)).query).items()}

    with pytest.raises(NotAuthenticated, match="not made"):
        signer.check("abd", query["expires"], query["signature"])
    with pytest.raises(NotAuthenticated, match="not made"):
        signer.check("abc", str(int(query["expires"]) + 1), query["signature"])
