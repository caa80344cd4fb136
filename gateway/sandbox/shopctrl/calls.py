"""One call: who makes it, what it asks for, and the records that its user may see."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.requests import Request

from gateway.sandbox.shopctrl.dialect import Switches
from gateway.sandbox.shopctrl.instants import AMSTERDAM, stamp_of, to_moment, to_stamp
from gateway.sandbox.shopctrl.reference import OWNER_OF_SHOP, USERS, Record, User
from gateway.sandbox.shopctrl.store import Store

NOT_FOUND: Final = 404

_INTEGER: Final = re.compile(r"-?[0-9]{1,10}")
_INT32: Final = range(-(2**31), 2**31)


class Refusal(Exception):
    """An answer with another status than 200 and `Message` in its body."""

    def __init__(self, status: int, message: str, **details: object) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"Message": message, **details}


@dataclass(frozen=True, slots=True)
class Call:
    """A call by a known user."""

    request: Request
    body: bytes
    user: User
    store: Store
    switches: Switches

    def now(self) -> str:
        """Give the instant of the call: what the switch `now` says, else the clock."""
        fixed = self.switches["now"]
        return to_stamp(fixed) if fixed is not None else stamp_of(datetime.now(AMSTERDAM))

    def text(self, name: str) -> str:
        """Give a part of the path."""
        return str(self.request.path_params[name])

    def integer(self, name: str) -> int:
        """Give a part of the path that must be a 32-bit integer; ASP.NET answers 400 to any other."""
        return _to_integer(name, self.text(name))

    def query_integer(self, name: str) -> int | None:
        """Give an integer of the query; None when it is not there or empty."""
        text = self.request.query_params.get(name, "")
        return _to_integer(name, text) if text else None

    def query_flag(self, name: str) -> bool:
        """Give a boolean of the query; false when it is not there."""
        text = self.request.query_params.get(name, "false")
        if text.lower() not in {"true", "false"}:
            raise _invalid(name, text)
        return text.lower() == "true"

    def query_moment(self, name: str) -> datetime | None:
        """Give an instant of the query; None when it is not there or empty."""
        text = self.request.query_params.get(name, "")
        try:
            return to_moment(text) if text else None
        except ValueError as error:
            raise _invalid(name, text) from error

    def page(self) -> slice:
        """Give the part of a list that `pageSize` (100) and `pageNumber` (1-based) ask for."""
        size, number = self.query_integer("pageSize"), self.query_integer("pageNumber")
        size, number = 100 if size is None else size, 1 if number is None else number
        if size < 1:
            raise _invalid("pageSize", str(size))
        if number < 1:
            raise _invalid("pageNumber", str(number))
        size = min(size, self.switches["max_page_size"] or size)
        return slice((number - 1) * size, number * size)

    def shop_id(self) -> int:
        """Give the shop of the path; 404 when the user may not see it."""
        shop_id = self.integer("shopId")
        if shop_id not in self.user.shop_ids:
            raise not_found("Shop", shop_id)
        return shop_id

    def customer(self) -> Record:
        """Give the customer of the path."""
        customer_id = self.integer("id")
        customer = self.store.customers.get(customer_id)
        if customer is None or customer["ShopOwnerId"] not in self.user.owner_ids:
            raise not_found("Customer", customer_id)
        return customer

    def order(self, name: str = "orderId") -> Record:
        """Give the order of the path, deleted or not."""
        return self._visible("Order", self.store.orders, self.integer(name))

    def invoice(self) -> Record:
        """Give the invoice of the path, deleted or not."""
        return self._visible("Invoice", self.store.invoices, self.integer("invoiceId"))

    def file(self) -> Record:
        """Give the file of the path."""
        file_id = self.integer("fileId")
        file = self.store.files.get(file_id)
        if file is None or self.store.invoices[self.store.invoice_of_file[file_id]]["ShopId"] not in self.user.shop_ids:
            raise not_found("File", file_id)
        return file

    def status(self, definitions: Mapping[int, Record]) -> Record:
        """Give the status definition of the path."""
        status_id = self.integer("id")
        status = definitions.get(status_id)
        if status is None or status["ShopOwnerId"] not in self.user.owner_ids:
            raise not_found("Status", status_id)
        return status

    def _visible(self, what: str, records: Mapping[int, Record], number: int) -> Record:
        record = records.get(number)
        if record is None or record["ShopId"] not in self.user.shop_ids:
            raise not_found(what, number)
        return record


def user_of(authorization: str | None) -> User | None:
    """Give the user whose Basic credentials these are; None when there is none."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return next((user for user in USERS if (user.name, user.password) == (name, password)), None)


def not_found(what: str, key: object) -> Refusal:
    """Make the answer for something that is not there, or not for this user."""
    return Refusal(NOT_FOUND, f"{what} '{key}' not found.")


def invalid(**problems: str) -> Refusal:
    """Make the answer for a body that the model refuses."""
    return Refusal(400, "The request is invalid.", ModelState={name: [problem] for name, problem in problems.items()})


def owner_of(shop_id: int) -> int:
    """Give the shop owner of a shop."""
    return dict(OWNER_OF_SHOP)[shop_id]


def _invalid(name: str, text: str) -> Refusal:
    return Refusal(400, "The request is invalid.", ModelState={name: [f"The value '{text}' is not valid for {name}."]})


def _to_integer(name: str, text: str) -> int:
    if _INTEGER.fullmatch(text) is None or int(text) not in _INT32:
        detail = f"The parameters dictionary contains a null entry for parameter '{name}' of non-nullable type 'System.Int32'."
        raise Refusal(400, "The request is invalid.", MessageDetail=detail)
    return int(text)
