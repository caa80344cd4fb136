"""An object of which nothing is asked is an empty object: `... on` another type selects nothing of this one."""

from __future__ import annotations

import pytest

from tests.graph import Graph

pytestmark = pytest.mark.anyio

CUSTOMER = '{ customers(first: 1, filter: {sources: ["pos"]}) { nodes { id } } }'


async def test_an_object_of_another_type_than_is_asked_of_is_empty(graph: Graph) -> None:
    customer = (await graph.data(CUSTOMER))["customers"]["nodes"][0]["id"]
    query = "query ($id: ID!) { node(id: $id) { ... on Source { key } } nodes(ids: [$id, $id]) { ... on Invoice { number } } }"

    assert await graph.data(query, {"id": customer}) == {"node": {}, "nodes": [{}, {}]}


async def test_a_list_of_which_nothing_is_asked_is_as_long_as_it_is(graph: Graph) -> None:
    query = "nodes { id @skip(if: true) } edges { node { ... on Invoice { id @skip(if: true) } } }"
    answer = await graph.data(f'{{ invoices(first: 2, filter: {{sources: ["shop"]}}) {{ {query} }} }}')

    assert answer == {"invoices": {"nodes": [{}, {}], "edges": [{"node": {}}, {"node": {}}]}}
