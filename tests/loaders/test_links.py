"""Links between customers: by configured rules only, and never from an ambiguous match."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import ListUnsupported, SettingsError
from gateway.loaders import LinkRule, LinkRules, Links, find_links, read_link_file
from gateway.loaders.links import organization_key
from gateway.model import Customer, Kind, Ref, SourceResultStatus
from tests.loaders.memory_source import MemorySource, loaders_over

pytestmark = pytest.mark.anyio

BY_ORGANIZATION = LinkRules(frozenset({LinkRule.ORGANIZATION_NUMBER}))
KRINGLAN = "5568123342"


def customer(source: str, key: str, **fields: Any) -> Customer:  # noqa: ANN401  (fields of the record)
    known: dict[str, Any] = {"number": None, "email": None, "organization_number": None, **fields}
    return Customer(ref=Ref(source, Kind.CUSTOMER, key), native_type="Customer", **known)


def source_of(key: str, *customers: Customer) -> MemorySource:
    return MemorySource(key, {record.ref: record for record in customers}, listed=list(customers))


async def links_of(one: Customer, rules: LinkRules, *others: MemorySource) -> Links:
    return await find_links(loaders_over(source_of("a", one), *others), rules, one)


def shown(links: Links) -> list[tuple[str, str]]:
    return [(f"{link.customer.ref.source}/{link.customer.ref.native_id}", link.rule) for link in links.nodes]


async def test_the_same_party_is_found_in_every_other_source() -> None:
    one = customer("a", "1", organization_number=KRINGLAN)
    others = [source_of(key, customer(key, "7", organization_number=KRINGLAN), customer(key, "8")) for key in "bc"]

    links = await links_of(one, BY_ORGANIZATION, *others)

    assert shown(links) == [("b/7", "ORGANIZATION_NUMBER"), ("c/7", "ORGANIZATION_NUMBER")]
    assert [(result.status, result.count) for result in links.source_results] == [(SourceResultStatus.OK, 1)] * 2


async def test_a_number_is_compared_without_its_hyphen() -> None:
    one = customer("a", "1", organization_number="556812-3342")
    links = await links_of(one, BY_ORGANIZATION, source_of("b", customer("b", "7", organization_number=KRINGLAN)))

    assert shown(links) == [("b/7", "ORGANIZATION_NUMBER")]


async def test_an_ambiguous_match_is_no_link_and_is_said() -> None:
    one = customer("a", "1", organization_number=KRINGLAN)
    twice = source_of("b", customer("b", "7", organization_number=KRINGLAN), customer("b", "8", organization_number=KRINGLAN))

    links = await links_of(one, BY_ORGANIZATION, twice)

    assert shown(links) == []
    result = links.source_results[0]
    assert (result.status, result.code) == (SourceResultStatus.PARTIAL, "AMBIGUOUS_LOOKUP")
    assert result.message == "2 customers have this organization number: no link"


async def test_a_number_that_fails_its_check_digit_links_nobody() -> None:
    one = customer("a", "1", organization_number="5568123345")
    other = source_of("b", customer("b", "7", organization_number="5568123345"))

    links = await links_of(one, BY_ORGANIZATION, other)

    assert shown(links) == []
    assert other.pages == []


async def test_a_rule_that_is_not_configured_links_nobody() -> None:
    one = customer("a", "1", email="x@example.se", number="7")
    other = source_of("b", customer("b", "7", email="x@example.se", number="7"))

    assert shown(await links_of(one, BY_ORGANIZATION, other)) == []
    assert shown(await links_of(one, LinkRules(frozenset({LinkRule.EMAIL})), other)) == [("b/7", "EMAIL")]
    assert shown(await links_of(one, LinkRules(frozenset({LinkRule.CUSTOMER_NUMBER})), other)) == [("b/7", "CUSTOMER_NUMBER")]


async def test_what_the_file_says_comes_before_any_rule() -> None:
    one = customer("a", "1", organization_number=KRINGLAN)
    other = source_of("b", customer("b", "7", organization_number=KRINGLAN))
    rules = LinkRules(frozenset({LinkRule.ORGANIZATION_NUMBER}), {("a", "1"): "kringlan", ("b", "7"): "kringlan", ("b", "9"): "another"})

    assert shown(await links_of(one, rules, other)) == [("b/7", "CONFIGURED")]


async def test_a_source_that_cannot_be_searched_says_so() -> None:
    failure = ListUnsupported("no list of customers", source="b", operation="List")
    other = MemorySource("b", list_failure=failure)

    links = await links_of(customer("a", "1", organization_number=KRINGLAN), BY_ORGANIZATION, other)

    assert [(result.status, result.code) for result in links.source_results] == [(SourceResultStatus.UNSUPPORTED, "LIST_UNSUPPORTED")]


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("556812-3342", KRINGLAN),
        ("5568123342", KRINGLAN),
        ("165568123342", KRINGLAN),
        ("556812 3342", KRINGLAN),
        ("5568123345", None),
        ("30123456", None),
        ("55681233420", None),
        ("٥٥٦٨١٢٣٣٤٤", None),
        ("", None),
        (None, None),
    ],
)
def test_an_organization_number_counts_with_ten_digits_and_a_valid_check_digit(number: str | None, key: str | None) -> None:
    assert organization_key(number) == key


def test_the_file_names_parties_by_source_and_key(tmp_path: Path) -> None:
    path = tmp_path / "links.csv"
    path.write_text("source,native_id,party\npos, 1 ,kringlan\n\nshop,20411,kringlan\n", encoding="utf-8")

    assert read_link_file(path) == {("pos", "1"): "kringlan", ("shop", "20411"): "kringlan"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("pos,1\n", "links.csv:1: a line has source, native_id, party"),
        ("source,native_id,party\npos,,x\n", "links.csv:2: a line has source, native_id, party"),
        ("pos,1,x\npos,1,y\n", "links.csv:2: pos 1 is there twice"),
    ],
)
def test_a_mistake_in_the_file_is_named_by_its_line(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "links.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(SettingsError) as caught:
        read_link_file(path)

    assert caught.value.lines == (f"links.file: {line}",)
