"""Ids of objects that the sandbox has, by the keys that its data gives them."""

from __future__ import annotations

from gateway.model import Kind, Ref

POS, SHOP, COMMERCE, SUBSCRIPTIONS = "pos", "shop", "commerce", "subscriptions"


def invoice_id(source: str, native_id: str | int) -> str:
    return Ref(source, Kind.INVOICE, str(native_id)).global_id


def order_id(source: str, native_id: str | int) -> str:
    return Ref(source, Kind.ORDER, str(native_id)).global_id


def customer_id(source: str, native_id: str | int) -> str:
    return Ref(source, Kind.CUSTOMER, str(native_id)).global_id


def settings_id(source: str, native_id: str | int) -> str:
    return Ref(source, Kind.INVOICE_SETTINGS, str(native_id)).global_id


def source_id(source: str) -> str:
    return Ref(source, Kind.SOURCE, "").global_id


POS_INVOICE = invoice_id(POS, "6a1d2f3e-4b5c-4d6e-8f70-8192a3b4c5d6")
POS_ORDER = order_id(POS, "1f3e5d7c-9b8a-4c6d-8e0f-a1b2c3d4e5f6")
POS_CUSTOMER = customer_id(POS, "3f0c8f52-9d0d-4b52-8a57-6f8b2b8c1d01")
SHOP_INVOICE = invoice_id(SHOP, 88121)
SHOP_ORDER = order_id(SHOP, 55012)
SHOP_CUSTOMER = customer_id(SHOP, 20411)
COMMERCE_INVOICE = invoice_id(COMMERCE, 50911)
COMMERCE_ORDER = order_id(COMMERCE, 70213)
COMMERCE_CUSTOMER = customer_id(COMMERCE, "customer/31877")
SUBSCRIPTIONS_INVOICE = invoice_id(SUBSCRIPTIONS, 910234)
SUBSCRIPTIONS_ORDER = order_id(SUBSCRIPTIONS, "5512/12")
SUBSCRIPTIONS_CUSTOMER = customer_id(SUBSCRIPTIONS, 40017)
SUBSCRIPTIONS_SETTINGS = settings_id(SUBSCRIPTIONS, 40017)

# The invoice with this id is of an order that does not exist.
COMMERCE_INVOICE_OF_NO_ORDER = invoice_id(COMMERCE, 50911 + 62)
