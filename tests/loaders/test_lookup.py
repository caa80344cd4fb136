"""The three ways to name an object."""

from __future__ import annotations

import pytest

from gateway.errors import AmbiguousLookup, InvalidInput
from gateway.loaders import ByBusinessNumber, ById, ByNative, find_record, find_ref, named_source, to_ref
from gateway.model import Invoice, Kind, Ref
from tests.loaders.memory_source import MemorySource, loaders_over

pytestmark = pytest.mark.anyio

REF = Ref("shop", Kind.INVOICE, "a-1")
INVOICE = Invoice(ref=REF, native_type="Invoice", number="F-1")


def shop(*others: Invoice) -> MemorySource:
    return MemorySource("shop", {record.ref: record for record in (INVOICE, *others)})


@pytest.mark.parametrize("lookup", [ById(REF.global_id), ByNative("shop", "a-1"), ByBusinessNumber("shop", "F-1")])
async def test_all_three_ways_lead_to_the_same_object(lookup: ById | ByNative | ByBusinessNumber) -> None:
    assert await find_record(loaders_over(shop()), lookup, Kind.INVOICE) == INVOICE
    assert await find_ref(loaders_over(shop()), lookup, Kind.INVOICE) == REF


async def test_only_a_number_has_to_be_asked_for_to_get_a_key() -> None:
    source = shop()
    loaders = loaders_over(source)

    await find_ref(loaders, ById(REF.global_id), Kind.INVOICE)
    await find_ref(loaders, ByNative("shop", "a-1"), Kind.INVOICE)
    assert (source.batches, source.searches) == ([], [])

    await find_ref(loaders, ByBusinessNumber("shop", "F-1"), Kind.INVOICE)
    assert (source.batches, source.searches) == ([], ["F-1"])


@pytest.mark.parametrize(
    "lookup", [ByNative("shop", "a-9"), ByBusinessNumber("shop", "F-9"), ById(Ref("shop", Kind.INVOICE, "a-9").global_id)]
)
async def test_what_the_source_does_not_have_is_none(lookup: ById | ByNative | ByBusinessNumber) -> None:
    assert await find_record(loaders_over(shop()), lookup, Kind.INVOICE) is None


async def test_every_spelling_of_a_key_is_the_same_reference() -> None:
    loaders = loaders_over(shop())

    assert await find_ref(loaders, ByNative("shop", "A-1"), Kind.INVOICE) == REF
    assert to_ref(loaders, Ref("shop", Kind.INVOICE, "A-1").global_id) == REF


async def test_a_key_that_the_source_cannot_have_is_refused_without_asking_it() -> None:
    source = shop()

    with pytest.raises(InvalidInput, match="the key is empty"):
        await find_record(loaders_over(source), ByNative("shop", ""), Kind.INVOICE)

    assert source.batches == []


@pytest.mark.parametrize("lookup", [ByNative("web", "1"), ByBusinessNumber("web", "1")])
async def test_a_source_that_is_not_there_is_refused_by_name_with_those_that_are(lookup: ByNative | ByBusinessNumber) -> None:
    loaders = loaders_over(shop(), MemorySource("till"))

    with pytest.raises(InvalidInput) as refused:
        await find_record(loaders, lookup, Kind.INVOICE)

    assert refused.value.message == 'source: there is no source "web" (there are: shop, till)'


async def test_a_caller_with_no_sources_is_told_so() -> None:
    with pytest.raises(InvalidInput, match=r'there is no source "shop" \(there are: none\)'):
        named_source(loaders_over(), "shop")


async def test_an_id_of_a_source_that_is_not_there_is_nothing_and_no_error() -> None:
    assert await find_record(loaders_over(shop()), ById(Ref("web", Kind.INVOICE, "1").global_id), Kind.INVOICE) is None


@pytest.mark.parametrize(
    ("kind", "wanted", "message"),
    [
        (Kind.INVOICE, Kind.ORDER, "id: this is the id of an invoice, not of an order"),
        (Kind.ORDER, Kind.CUSTOMER, "id: this is the id of an order, not of a customer"),
        (Kind.CUSTOMER, Kind.INVOICE, "id: this is the id of a customer, not of an invoice"),
        (Kind.INVOICE_SETTINGS, Kind.INVOICE, "id: this is the id of invoice settings, not of an invoice"),
        (Kind.SOURCE, Kind.INVOICE, "id: this is the id of a source, not of an invoice"),
    ],
)
async def test_an_id_of_another_kind_is_refused_by_both_names(kind: Kind, wanted: Kind, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        to_ref(loaders_over(shop()), Ref("shop", kind, "1").global_id, wanted)

    assert refused.value.message == message


async def test_an_id_with_the_former_key_of_a_source_is_the_present_one() -> None:
    loaders = loaders_over(shop(), former_keys={"old-shop": "shop"})

    assert to_ref(loaders, Ref("old-shop", Kind.INVOICE, "a-1").global_id) == REF
    assert to_ref(loaders, Ref("old-shop", Kind.SOURCE, "").global_id) == Ref("shop", Kind.SOURCE, "")


async def test_a_source_has_no_key_below_it() -> None:
    with pytest.raises(InvalidInput, match="this is no id of this gateway"):
        to_ref(loaders_over(shop()), Ref("shop", Kind.SOURCE, "junk").global_id)


async def test_a_number_that_several_objects_have_is_refused() -> None:
    twin = Invoice(ref=Ref("shop", Kind.INVOICE, "a-2"), native_type="Invoice", number="F-1")

    with pytest.raises(AmbiguousLookup):
        await find_ref(loaders_over(shop(twin)), ByBusinessNumber("shop", "F-1"), Kind.INVOICE)
