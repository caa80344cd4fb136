"""Records: whole, or as a reference of which nothing more is known."""

from __future__ import annotations

from gateway.model import UNREAD, Caller, Invoice, Kind, Permission, Ref


def test_of_a_reference_nothing_is_read_but_its_key() -> None:
    reference = Invoice(ref=Ref("shop", Kind.INVOICE, "88121"), native_type="Invoice")

    assert (reference.number, reference.totals, reference.warnings, reference.fetched_at) == (UNREAD, UNREAD, UNREAD, None)


def test_unread_is_no_value() -> None:
    assert not UNREAD


def test_a_caller_may_what_is_listed_and_nothing_else() -> None:
    caller = Caller("script", frozenset({Permission.READ}))

    assert {permission: caller.may(permission) for permission in Permission} == {
        Permission.READ: True,
        Permission.WRITE: False,
        Permission.RAW: False,
        Permission.EXPLORER: False,
        Permission.AUDIT: False,
        Permission.METRICS: False,
    }
