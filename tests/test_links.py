"""`Customer.links` over the sandbox, where some parties are customers of several systems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.sandbox.faults import Fault
from gateway.sandbox.server import RunningSandbox
from tests.additions import Additions, new_guid
from tests.graph import Graph, open_graph

pytestmark = pytest.mark.anyio

BY_ORGANIZATION = {"rules": ["organization_number"]}
# One party: NIMPOS 2020, Compilator 40001, the Norce company 1020.
TILL_KEY = "94be2e52-23b1-520e-a576-58360a531e0f"
QUERY = """query ($by: Lookup!) { customer(by: $by) {
  organizationNumber
  links {
    nodes { rule customer { name organizationNumber origin { source { key } nativeId } } }
    sourceResults { source { key } status code count }
  } } }"""


async def ask(graph: Graph, source: str, native_id: str) -> dict[str, Any]:
    data = await graph.data(QUERY, {"by": {"native": {"source": source, "id": native_id}}})
    links: dict[str, Any] = data["customer"]["links"]
    return links


def linked(links: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(link["customer"]["origin"]["source"]["key"], link["customer"]["origin"]["nativeId"], link["rule"]) for link in links["nodes"]]


def statuses(links: dict[str, Any]) -> dict[str, tuple[str, str | None, int]]:
    return {result["source"]["key"]: (result["status"], result["code"], result["count"]) for result in links["sourceResults"]}


async def test_a_party_of_three_systems_is_linked_by_its_organisation_number(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, links=BY_ORGANIZATION) as graph:
        of_tyres = await ask(graph, "subscriptions", "40001")
        of_till = await ask(graph, "pos", TILL_KEY)

    assert linked(of_tyres) == [
        ("pos", TILL_KEY, "ORGANIZATION_NUMBER"),
        ("commerce", "company/1020", "ORGANIZATION_NUMBER"),
    ]
    assert linked(of_till) == [
        ("subscriptions", "40001", "ORGANIZATION_NUMBER"),
        ("commerce", "company/1020", "ORGANIZATION_NUMBER"),
    ]
    assert {link["customer"]["name"] for link in (*of_tyres["nodes"], *of_till["nodes"])} == {"Fjord Taxi 2 AB"}


async def test_a_source_that_cannot_be_searched_is_said_to_be_unsupported(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, links=BY_ORGANIZATION) as graph:
        links = await ask(graph, "subscriptions", "40001")

    assert statuses(links) == {
        "pos": ("OK", None, 1),
        "commerce": ("OK", None, 1),
        "shop": ("UNSUPPORTED", "LIST_UNSUPPORTED", 0),
    }


async def test_without_rules_nobody_is_linked_and_no_other_source_is_asked(graph: Graph) -> None:
    links = await ask(graph, "subscriptions", "40001")

    assert links["nodes"] == []
    assert set(graph.calls()) == {"compilator.GetCustomersChangedSince"}


async def test_a_person_without_an_organisation_number_is_linked_to_nobody(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, links=BY_ORGANIZATION) as graph:
        links = await ask(graph, "subscriptions", "40004")

        assert links["nodes"] == []
        assert set(graph.calls()) == {"compilator.GetCustomersChangedSince"}


async def test_an_organisation_number_that_two_customers_of_a_system_have_links_neither(sandbox: RunningSandbox) -> None:
    additions = Additions(sandbox)
    await additions.till_customer(1, updated="2026-11-01T00:00:00+01:00", OrgNo="5567647986")
    async with open_graph(sandbox, links=BY_ORGANIZATION) as graph:
        links = await ask(graph, "subscriptions", "40001")

    assert linked(links) == [("commerce", "company/1020", "ORGANIZATION_NUMBER")]
    assert statuses(links)["pos"] == ("PARTIAL", "AMBIGUOUS_LOOKUP", 0)


async def test_a_number_with_a_wrong_check_digit_links_nobody(sandbox: RunningSandbox) -> None:
    additions = Additions(sandbox)
    await additions.till_customer(1, updated="2026-11-01T00:00:00+01:00", OrgNo="556764-7987")
    async with open_graph(sandbox, links=BY_ORGANIZATION) as graph:
        links = await ask(graph, "pos", new_guid(1))

    assert links["nodes"] == []


async def test_the_file_links_whom_no_rule_can_and_comes_before_the_rules(sandbox: RunningSandbox, tmp_path: Path) -> None:
    file = tmp_path / "links.csv"
    file.write_text(f"source,native_id,party\nsubscriptions,40001,fjord\nshop,20400,fjord\npos,{TILL_KEY},fjord\n", encoding="utf-8")
    async with open_graph(sandbox, links={**BY_ORGANIZATION, "file": str(file)}) as graph:
        links = await ask(graph, "subscriptions", "40001")

    assert sorted(linked(links)) == [
        ("commerce", "company/1020", "ORGANIZATION_NUMBER"),
        ("pos", TILL_KEY, "CONFIGURED"),
        ("shop", "20400", "CONFIGURED"),
    ]


async def test_the_file_alone_asks_only_the_sources_that_it_names(sandbox: RunningSandbox, tmp_path: Path) -> None:
    file = tmp_path / "links.csv"
    file.write_text("source,native_id,party\nsubscriptions,40001,fjord\nshop,20400,fjord\n", encoding="utf-8")
    async with open_graph(sandbox, links={"file": str(file)}) as graph:
        links = await ask(graph, "subscriptions", "40001")

        assert linked(links) == [("shop", "20400", "CONFIGURED")]
        assert set(graph.calls()) == {"compilator.GetCustomersChangedSince", "shopctrl.GetCustomer"}


async def test_a_source_that_is_down_is_said_and_takes_no_other_link_away(sandbox: RunningSandbox) -> None:
    sandbox.sandbox.faults.add(Fault(system="norce", operation="ListCompaniesByOrgNo", kind="status", status=500))
    async with open_graph(sandbox, links=BY_ORGANIZATION) as graph:
        links = await ask(graph, "subscriptions", "40001")

    assert linked(links) == [("pos", TILL_KEY, "ORGANIZATION_NUMBER")]
    assert statuses(links)["commerce"] == ("FAILED", "UPSTREAM_UNAVAILABLE", 0)


async def test_email_links_persons_too(sandbox: RunningSandbox) -> None:
    async with open_graph(sandbox, links={"rules": ["email"]}) as graph:
        links = await ask(graph, "subscriptions", "40004")

    assert linked(links) == [("pos", "7a47cc1b-cdce-5130-a958-efa874a0ac59", "EMAIL"), ("commerce", "customer/31023", "EMAIL")]
