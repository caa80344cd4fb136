"""The estimate beside an answer: for whom, and when."""

from __future__ import annotations

from hashlib import sha256

import pytest

from tests.server.conftest import SOURCE, Opener

pytestmark = pytest.mark.anyio

KEY = "secret"
QUERY = '{ order(by: {native: {source: "shop", id: "1"}}) { number } }'


def caller(*permissions: str) -> dict[str, object]:
    return {"name": "c", "key_sha256": sha256(KEY.encode()).hexdigest(), "permissions": list(permissions), "sources": ["*"]}


@pytest.mark.parametrize(
    ("permissions", "headers", "is_told"),
    [
        (("read", "explorer"), {"x-gateway-explain": "1"}, True),
        (("read", "explorer"), {"x-gateway-explain": "0"}, False),
        (("read", "explorer"), {}, False),
        (("read",), {"x-gateway-explain": "1"}, False),
    ],
    ids=["asked", "asked not to", "not asked", "not permitted"],
)
async def test_the_estimate_is_for_explorers_who_ask(
    opened: Opener, permissions: tuple[str, ...], headers: dict[str, str], *, is_told: bool
) -> None:
    async with opened(callers=[caller(*permissions)]) as client:
        response = await client.post("/graphql", json={"query": QUERY}, headers={"authorization": f"Bearer {KEY}", **headers})

    assert response.json()["data"] == {"order": None}
    assert response.json().get("extensions", {}).keys() == ({"explain"} if is_told else set())


async def test_only_sources_that_the_caller_may_see_are_counted(opened: Opener) -> None:
    blind = {**caller("read", "explorer"), "sources": ["other"]}
    async with opened(sources={"shop": SOURCE, "other": SOURCE}, callers=[blind]) as client:
        headers = {"authorization": f"Bearer {KEY}", "x-gateway-explain": "1"}
        response = await client.post("/graphql", json={"query": QUERY}, headers=headers)

    assert response.json()["extensions"] == {"explain": {"total": 0, "openEnded": False, "calls": []}}


async def test_a_document_that_cannot_be_executed_has_no_estimate(opened: Opener) -> None:
    async with opened() as client:
        response = await client.post("/graphql", json={"query": "{ nothing }"}, headers={"x-gateway-explain": "1"})

    assert response.json().keys() == {"errors"}
