"""The configured sources, what the caller may do, and who it is."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from tests.graph import Graph, open_graph
from tests.schema.ids import SHOP_INVOICE, source_id

pytestmark = pytest.mark.anyio

CREATE = 'mutation { createInvoiceFromOrder(order: {native: {source: "shop", id: "54712"}}, dryRun: true) { outcome } }'


def caller(name: str, *permissions: str, sources: tuple[str, ...] = ("*",)) -> dict[str, Any]:
    return {"name": name, "key_sha256": sha256(name.encode()).hexdigest(), "permissions": permissions, "sources": sources}


def key(name: str) -> str:
    return f"Bearer {name}"


# ------------------------------------------------------------------ sources


async def test_sources_are_shown_in_the_order_of_the_configuration_and_nobody_is_called(reader: Graph) -> None:
    data = await reader.data("{ sources { id key system displayName defaultCurrency timeZone } }")

    rows = [("subscriptions", "COMPILATOR", "SEK"), ("pos", "NIMPOS", "SEK"), ("commerce", "NORCE", "SEK"), ("shop", "SHOPCTRL", "EUR")]
    assert data["sources"] == [
        {
            "id": source_id(name),
            "key": name,
            "system": system,
            "displayName": name,
            "defaultCurrency": currency,
            "timeZone": "Europe/Amsterdam" if name == "shop" else "Europe/Stockholm",
        }
        for name, system, currency in rows
    ]
    assert reader.running.sandbox.calls.total == 0


async def test_what_a_source_can_do_is_known_without_a_call(reader: Graph) -> None:
    data = await reader.data('{ source(key: "shop") { capabilities { operation support upstreamOperation batching note } } }')

    by_operation = {entry.pop("operation"): entry for entry in data["source"]["capabilities"]}
    assert by_operation["CREATE_INVOICE"] == {
        "support": "NOT_OFFERED",
        "upstreamOperation": None,
        "batching": "NONE",
        "note": "the content of an invoice cannot be passed",
    }
    assert by_operation["CREATE_INVOICE_FROM_ORDER"]["upstreamOperation"] == "POST v1/Orders/{orderId}/Invoices"
    assert reader.running.sandbox.calls.total == 0


async def test_every_source_says_of_every_write_whether_it_can(reader: Graph) -> None:
    data = await reader.data("{ sources { key capabilities { operation support } } }")

    writes = ("CREATE_INVOICE", "CREATE_INVOICE_FROM_ORDER", "SET_INVOICE_SETTINGS")
    can = {
        source["key"]: [
            entry["operation"] for entry in source["capabilities"] if entry["operation"] in writes and entry["support"] == "SUPPORTED"
        ]
        for source in data["sources"]
    }
    assert can == {
        "subscriptions": ["SET_INVOICE_SETTINGS"],
        "pos": ["CREATE_INVOICE"],
        "commerce": ["CREATE_INVOICE"],
        "shop": ["CREATE_INVOICE_FROM_ORDER"],
    }


async def test_sources_of_one_system_can_be_asked_for(reader: Graph) -> None:
    assert await reader.data("{ sources(system: NORCE) { key } }") == {"sources": [{"key": "commerce"}]}
    assert await reader.data("{ sources(system: null) { key } }") == {
        "sources": [{"key": name} for name in ("subscriptions", "pos", "commerce", "shop")]
    }


async def test_a_source_that_is_not_there_is_null(reader: Graph) -> None:
    assert await reader.data('{ source(key: "nowhere") { key } }') == {"source": None}


async def test_a_source_has_the_name_that_it_was_given(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, sources={"pos": {"display_name": "Kassorna"}, "shop": {"enabled": False}}) as graph:
        data = await graph.data("{ sources { key displayName } }")

    assert {"key": "pos", "displayName": "Kassorna"} in data["sources"]
    assert [source["key"] for source in data["sources"]] == ["subscriptions", "pos", "commerce"]


async def test_health_is_what_the_last_calls_showed(graph: Graph) -> None:
    async def health() -> str:
        word: str = (await graph.data('{ source(key: "shop") { health } }'))["source"]["health"]
        return word

    assert await health() == "NOT_CHECKED"

    read = "query ($id: ID!) { node(id: $id) { id } }"
    await graph.ask(read, {"id": SHOP_INVOICE})
    assert await health() == "UP"

    graph.running.sandbox.faults.add(Fault(system="shopctrl", operation="GetInvoice", kind="status", status=503))
    for _ in range(3):
        await graph.ask(read, {"id": SHOP_INVOICE})
    assert await health() == "DOWN"


# ------------------------------------------------------------------ callers


async def test_without_callers_anybody_may_everything(reader: Graph) -> None:
    assert await reader.data("{ caller { name permissions sources } }") == {
        "caller": {
            "name": "anybody",
            "permissions": ["audit", "explorer", "metrics", "raw", "read", "write"],
            "sources": ["subscriptions", "pos", "commerce", "shop"],
        }
    }


async def test_a_caller_is_told_what_it_may(sandbox: RunningSandbox) -> None:
    callers = [caller("frontend", "write", "read", sources=("shop", "pos")), caller("nobody")]
    async with open_graph(sandbox, callers=callers) as graph:
        assert await graph.data(
            '{ caller { name permissions sources } sources { key } source(key: "commerce") { key } }', authorization=key("frontend")
        ) == {
            "caller": {"name": "frontend", "permissions": ["read", "write"], "sources": ["pos", "shop"]},
            "sources": [{"key": "pos"}, {"key": "shop"}],
            "source": None,
        }
        assert await graph.data("{ caller { permissions sources } }", authorization=key("nobody")) == {
            "caller": {"permissions": [], "sources": ["subscriptions", "pos", "commerce", "shop"]}
        }


async def test_reading_needs_its_permission(sandbox: RunningSandbox) -> None:
    by_id = "(by: {id: $id}) { id }"
    fields = ("node(id: $id) { id }", "nodes(ids: [$id]) { id }", f"invoice{by_id}", f"order{by_id}", f"customer{by_id}")
    async with open_graph(sandbox, callers=[caller("writer", "write", "raw", "explorer", "audit")]) as graph:
        for field in fields:
            answer = await graph.ask(f"query ($id: ID!) {{ {field} }}", {"id": SHOP_INVOICE}, authorization=key("writer"))

            (error,) = answer["errors"]
            assert (error["message"], error["extensions"]["code"]) == ("this needs the permission read", "FORBIDDEN")
        assert graph.calls() == {}


async def test_writing_needs_its_permission_also_when_it_is_only_tried(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, callers=[caller("reader", "read"), caller("writer", "write")]) as graph:
        refused = await graph.ask(CREATE, authorization=key("reader"))

        assert refused["data"] is None
        assert [(error["path"], error["extensions"]["code"]) for error in refused["errors"]] == [(["createInvoiceFromOrder"], "FORBIDDEN")]
        assert graph.calls() == {}

        assert await graph.data(CREATE, authorization=key("writer")) == {"createInvoiceFromOrder": {"outcome": "VALIDATED"}}
