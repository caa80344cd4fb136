"""Questions that follow from answers: ids, numbers, versions, cursors and keys of writes that came out of one go into the next.

One dialogue is a sequence of steps that hypothesis chooses. It needs a gateway over the sandbox, whose writes nobody else makes.
What dialogues wrote before is still there in the next one, so nothing that hypothesis draws depends on what was answered: a step takes
the object at a place, counted round and round, and does nothing where there is none yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from gateway.sandbox.nimpos.samples import OUTLET, TERMINAL
from tests.drills.answers import Heard, codes, complaints

Say = Callable[[bytes, Mapping[str, str]], Heard]
"""Posts a body with headers to `/graphql`."""
Answer = dict[str, Any]
_T = TypeVar("_T")

_SOURCES: Final = ("pos", "subscriptions", "shop", "commerce")
_FIELDS: Final = {"Customer": "customer", "Order": "order", "Invoice": "invoice"}
_ACCEPTS: Final = ("application/json", "application/graphql-response+json", "*/*")
_SETTLED: Final = frozenset({"APPLIED", "NOTHING_TO_DO", "REJECTED"})
_AT: Final = st.integers(0, 10_000)
"""A place among whatever there is."""
_BILLABLE: Final = frozenset({("Order", "pos"), ("Order", "commerce")})
_THING: Final = """
fragment Thing on Record {
  __typename id origin { nativeId source { key } }
  ... on Customer { number } ... on Order { number } ... on Invoice { number issueDate }
}"""
_PAGE: Final = "{ nodes { ...Thing } edges { cursor node { id } } pageInfo { hasNextPage endCursor } sourceResults { status code count } }"
_MADE: Final = "outcome confirmation replayed userErrors { code message } attempt { idempotencyKey outcome result { id } } request { sent }"
_CREATE: Final = f"""mutation ($source: String!, $input: CreateInvoiceInput!, $key: String, $dry: Boolean! = false) {{
  made: createInvoice(source: $source, input: $input, idempotencyKey: $key, dryRun: $dry) {{ {_MADE} result: invoice {{ ...Thing }} }}
}} {_THING}"""
_FROM_ORDER: Final = f"""mutation ($order: Lookup!, $key: String, $dry: Boolean! = false) {{
  made: createInvoiceFromOrder(order: $order, idempotencyKey: $key, dryRun: $dry) {{ {_MADE} result: invoice {{ ...Thing }} }}
}} {_THING}"""
_SET: Final = f"""mutation ($customer: Lookup!, $settings: InvoiceSettingsInput!, $version: String, $key: String, $dry: Boolean! = false) {{
  made: setInvoiceSettings(customer: $customer, settings: $settings, expectedVersion: $version, idempotencyKey: $key, dryRun: $dry) {{
    {_MADE} result: settings {{ ...Thing version }}
  }}
}} {_THING}"""
_ATTEMPT: Final = "query ($key: String!) { attempt(idempotencyKey: $key) { idempotencyKey outcome result { id } } }"


@dataclass(frozen=True, slots=True)
class Thing:
    """An object that an answer had."""

    kind: str
    source: str
    id: str
    native_id: str
    number: str | None

    @property
    def may_fail(self) -> tuple[str, ...]:
        """How reading it may fail.

        An order that is invoiced again takes the earlier invoice of a till out of the list. A company is found by its number alone:
        no published read gives one by its id.
        """
        if self.native_id.startswith("company/"):
            return ("LOOKUP_UNSUPPORTED",)
        return ("ABSENCE_UNPROVEN",) if (self.kind, self.source) == ("Invoice", "pos") else ()

    @property
    def by_id(self) -> Answer:
        """The lookup by its id."""
        return {"id": self.id}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, with what it needs to go on, and the ids of all pages up to it."""

    list: str
    arguments: Mapping[str, object]
    cursor: str | None
    ids: frozenset[str]
    writes: int
    """How many writes had been made when the first page was read: a write moves what comes after it."""


@dataclass(frozen=True, slots=True)
class Write:
    """A write that was sent, and the payload that it was answered."""

    document: str
    variables: Mapping[str, object]
    key: str
    payload: Answer = field(hash=False)

    @property
    def is_kept(self) -> bool:
        """Say whether the key is taken by it; what the gateway itself refuses leaves it free."""
        return bool((self.payload["request"] or {}).get("sent"))


class Dialogue(RuleBasedStateMachine):
    """Asks a gateway; no other dialogue with it has the same `place`, which is in every key and number that is made up."""

    def __init__(self, say: Say, place: int) -> None:
        super().__init__()
        self._post = say
        self._place = place
        self._asked = 0
        self._writes = 0
        self.things: list[Thing] = []
        self.pages: list[Page] = []
        self.written: list[Write] = []

    # -------------------------------------------------------------- asking

    def _ask(self, query: str, headers: Mapping[str, str] | None = None, **variables: object) -> Answer:
        """Ask, and fail unless the answer keeps all rules."""
        self._asked += 1
        body = json.dumps({"query": query, "variables": variables})
        accept = _ACCEPTS[self._asked % len(_ACCEPTS)]
        heard = self._post(body.encode(), {"content-type": "application/json", "accept": accept, **(headers or {})})
        broken = complaints(heard)
        assert not broken, f"{'; '.join(broken)}\nasked {body}\nanswered {heard.body.decode(errors='replace')}"
        answer: Answer = json.loads(heard.body)
        return answer

    def _data(self, query: str, *may_fail: str, headers: Mapping[str, str] | None = None, **variables: object) -> Answer:
        """Ask what must be answered, but for errors of these codes, and give the data."""
        answer = self._ask(query, headers, **variables)
        assert set(codes(answer)) <= set(may_fail), f"{answer}\nasked {query!r} with {variables}"
        self._learn(answer["data"])
        data: Answer = answer["data"]
        return data

    def _learn(self, tree: object) -> None:
        if isinstance(tree, dict):
            if tree.get("__typename") in _FIELDS and "origin" in tree:
                origin = tree["origin"]
                thing = Thing(tree["__typename"], origin["source"]["key"], tree["id"], origin["nativeId"], tree["number"])
                self.things += [] if thing in self.things else [thing]
            tree = list(tree.values())
        for item in tree if isinstance(tree, list) else ():
            self._learn(item)

    def _name_one(self, what: str) -> str:
        return f"{what}-{self._place}-{self._asked}"

    def _one(self, at: int, kind: str, source: str) -> Thing:
        return _pick([thing for thing in self.things if (thing.kind, thing.source) == (kind, source)], at)

    # -------------------------------------------------------------- reads

    @initialize()
    def meet(self) -> None:
        """Read a few of everything."""
        fields = [
            f'{source}_{name}s: {name}s(first: 6, filter: {{sources: ["{source}"]}}) {{ nodes {{ ...Thing }} }}'
            for source in _SOURCES
            for name in _FIELDS.values()
        ]
        self._data(f"{{ {' '.join(fields)} }} {_THING}")
        met = {(thing.kind, thing.source) for thing in self.things}
        assert {("Customer", "pos"), ("Customer", "subscriptions"), ("Order", "shop"), ("Order", "commerce"), ("Invoice", "shop")} <= met

    @rule(
        name=st.sampled_from(("customers", "orders", "invoices")),
        sources=st.lists(st.sampled_from(_SOURCES), min_size=1, unique=True),
        first=st.integers(1, 5),
        merged=st.booleans(),
    )
    def open_a_list(self, name: str, sources: list[str], first: int, *, merged: bool) -> None:
        """Read the first page."""
        arguments: dict[str, object] = {"filter": {"sources": sources}, "first": first}
        if merged and name == "invoices":
            arguments["orderBy"] = "ISSUE_DATE_DESC"
        self._read(Page(name, arguments, None, frozenset(), self._writes))

    @rule(at=_AT)
    def turn_the_page(self, at: int) -> None:
        """Go on where a page ended."""
        if self.pages:
            self._read(_pick(self.pages, at))

    def _read(self, before: Page) -> None:
        given: dict[str, Any] = {"filter": None, "first": 25, "orderBy": "SOURCE", **before.arguments, "after": before.cursor}
        kind = before.list.capitalize().removesuffix("s")
        order, argument = ("$orderBy: InvoiceOrder!, ", "orderBy: $orderBy, ") if before.list == "invoices" else ("", "")
        if not order:
            del given["orderBy"]
        query = f"query ({order}$filter: {kind}Filter, $first: Int!, $after: String) {{ page: {before.list}({argument}filter: $filter, "
        found = self._data(f"{query}first: $first, after: $after) {_PAGE} }} {_THING}", **given)["page"]
        ids = [node["id"] for node in found["nodes"]]
        assert ids == [edge["node"]["id"] for edge in found["edges"]]
        assert len(ids) == sum(result["count"] for result in found["sourceResults"]) <= int(str(given["first"]))
        assert not any(result["status"] in {"FAILED", "TIMED_OUT"} for result in found["sourceResults"]), found["sourceResults"]
        if before.writes == self._writes:
            repeated = before.ids.intersection(ids) or len(set(ids)) < len(ids)
            assert not repeated, f"{before} goes on with {ids}"
        if found["pageInfo"]["hasNextPage"]:
            after = found["pageInfo"]["endCursor"]
            assert after not in {None, before.cursor}, f"{before} goes on with {after!r}"
            self.pages.append(Page(before.list, before.arguments, after, before.ids.union(ids), before.writes))

    @rule(at=_AT, spoil=st.integers(0, 200))
    def go_on_with_a_wrong_cursor(self, at: int, spoil: int) -> None:
        """Take a cursor to another list, and change a letter of it."""
        if not self.pages:
            return
        page = _pick(self.pages, at)
        other = {"customers": "orders", "orders": "invoices", "invoices": "customers"}[page.list]
        query = "query ($after: String) { page: LIST(after: $after) { nodes { id } } }"
        assert codes(self._ask(query.replace("LIST", other), after=page.cursor)) == ["INVALID_CURSOR"]
        self._ask(query.replace("LIST", page.list), after=_spoilt(page.cursor or "", spoil))

    @rule(at=_AT)
    def ask_by_every_name(self, at: int) -> None:
        """Ask for an object by its id, in three ways, and by its source's own key: it is the same each time."""
        thing = _pick(self.things, at)
        query = f"""query ($id: ID!, $by: Lookup!, $native: Lookup!) {{
          node(id: $id) {{ ...Thing }} nodes(ids: [$id, $id]) {{ ...Thing }}
          by: {_FIELDS[thing.kind]}(by: $by) {{ ...Thing }} native: {_FIELDS[thing.kind]}(by: $native) {{ ...Thing }} }} {_THING}"""
        native = {"native": {"source": thing.source, "id": thing.native_id}}
        found = self._data(query, *thing.may_fail, id=thing.id, by=thing.by_id, native=native)
        if found["node"] is not None or not thing.may_fail:
            assert found["node"]["id"] == thing.id
            assert found["node"]["origin"] == {"nativeId": thing.native_id, "source": {"key": thing.source}}
        assert found["nodes"] == [found["node"]] * 2
        assert found["by"] == found["native"] == found["node"]

    @rule(places=st.lists(_AT, max_size=6))
    def ask_for_many(self, places: list[int]) -> None:
        """Ask for several objects at once: they come in the order asked."""
        things = [_pick(self.things, place) for place in places]
        may_fail = [code for thing in things for code in thing.may_fail]
        found = self._data("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", *may_fail, ids=[thing.id for thing in things])
        for node, thing in zip(found["nodes"], things, strict=True):
            assert node == {"id": thing.id} or (node is None and thing.may_fail), (things, found)

    @rule(at=_AT)
    def ask_by_number(self, at: int) -> None:
        """Ask by the number that an answer had: it leads back, or the answer says why not."""
        thing = _pick(self.things, at)
        if thing.number is None:
            return
        query = f"query ($by: Lookup!) {{ found: {_FIELDS[thing.kind]}(by: $by) {{ ...Thing }} }} {_THING}"
        answer = self._ask(query, by={"number": {"source": thing.source, "number": thing.number}})
        if codes(answer) == ["AMBIGUOUS_LOOKUP"]:
            assert thing.id in answer["errors"][0]["extensions"]["ids"], answer
        elif codes(answer) != ["LOOKUP_UNSUPPORTED"] and not (codes(answer) and set(codes(answer)) <= set(thing.may_fail)):
            found = answer["data"]["found"]
            if found is None and (thing.kind, thing.source) == ("Customer", "commerce"):
                return  # billed under the number of its company, by which no customer can be asked for
            assert (found or {}).get("number") == thing.number, f"{thing}: {answer}"

    @rule(at=_AT)
    def follow_references(self, at: int) -> None:
        """Ask what belongs to an object."""
        thing = _pick(self.things, at)
        page = "(first: 3) { nodes { ...Thing } sourceResults { status code } }"
        fields = {
            "Customer": f"orders{page} invoices{page} invoiceSettings {{ version }} links {{ nodes {{ rule customer {{ ...Thing }} }} }}",
            "Order": f"customer {{ ...Thing }} invoices{page}",
            "Invoice": "customer { ...Thing } orders { ...Thing } creditedInvoice { number invoice { ...Thing } } document { url }",
        }[thing.kind]
        query = f"query ($by: Lookup!) {{ found: {_FIELDS[thing.kind]}(by: $by) {{ id {fields} }} }} {_THING}"
        found = self._data(query, "LIST_UNSUPPORTED", *thing.may_fail, by=thing.by_id)["found"]
        assert found["id"] == thing.id if found else thing.may_fail, thing

    @rule(at=_AT, orders=st.booleans())
    def list_what_belongs_to(self, at: int, *, orders: bool) -> None:
        """Filter lists by an object of an answer."""
        thing = _pick([thing for thing in self.things if thing.kind != "Invoice"], at)
        name = "orders" if orders and thing.kind == "Customer" else "invoices"
        kind = name.capitalize().removesuffix("s")
        query = f"query ($filter: {kind}Filter) {{ page: {name}(filter: $filter, first: 3) {{ nodes {{ ...Thing }} }} }} {_THING}"
        self._data(query, filter={thing.kind.lower(): thing.by_id})

    @rule(at=_AT, spoil=st.integers(0, 200))
    def ask_by_a_wrong_id(self, at: int, spoil: int) -> None:
        """Ask for an object as if it were of another kind, and by an id of which a letter was changed."""
        thing = _pick(self.things, at)
        query = "query ($by: Lookup!) { found: KIND(by: $by) { id } }"
        other = {"Customer": "order", "Order": "invoice", "Invoice": "customer"}[thing.kind]
        answer = self._ask(query.replace("KIND", other), by=thing.by_id)
        assert codes(answer) == ["BAD_USER_INPUT"], answer
        self._ask(query.replace("KIND", _FIELDS[thing.kind]), by={"id": _spoilt(thing.id, spoil)})
        self._ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[thing.id, _spoilt(thing.id, spoil)])

    # -------------------------------------------------------------- writes

    @rule(at=_AT, by_header=st.booleans())
    def create_an_invoice(self, at: int, *, by_header: bool) -> None:
        """Record an invoice for an order of an answer."""
        order = _pick([thing for thing in self.things if (thing.kind, thing.source) in _BILLABLE], at)
        given = {"number": f"9{self._place:07}{self._asked:04}", "total": {"amount": "1250.50"}, "orders": [order.by_id]}
        if order.source == "pos":
            given["customer"] = self._one(at, "Customer", "pos").by_id
            given["nimpos"] = {"outletId": OUTLET, "terminalId": TERMINAL}
        else:
            given["issueDate"] = "2026-11-22"
        self._write(_CREATE, by_header=by_header, source=order.source, input=given)

    @rule(at=_AT, by_header=st.booleans())
    def have_an_order_invoiced(self, at: int, *, by_header: bool) -> None:
        """Have the source invoice an order of an answer."""
        self._write(_FROM_ORDER, by_header=by_header, order=self._one(at, "Order", "shop").by_id)

    @rule(at=_AT)
    def set_what_was_read(self, at: int) -> None:
        """Change terms as of the version that was read; as of the same version they cannot be changed again."""
        customer = self._one(at, "Customer", "subscriptions")
        query = "query ($by: Lookup!) { customer(by: $by) { invoiceSettings { version } } }"
        read = self._data(query, by=customer.by_id)["customer"]["invoiceSettings"]
        if read is None:
            return
        asked = {"customer": customer.by_id, "version": read["version"]}
        first = self._write(_SET, **asked, settings=self._settings())
        assert first.payload["outcome"] == "APPLIED", first
        assert self._data(query, by=customer.by_id)["customer"]["invoiceSettings"]["version"] != read["version"]
        late = self._write(_SET, **asked, settings=self._settings()).payload
        assert (late["outcome"], [error["code"] for error in late["userErrors"]]) == ("REJECTED", ["STALE_VERSION"]), late

    def _settings(self) -> Answer:
        return {"invoiceEmail": f"{self._name_one('m')}@drill.example", "reverseTax": True}

    def _write(self, document: str, *, by_header: bool = False, **variables: object) -> Write:
        key = self._name_one("key")
        self._writes += 1
        write = Write(document, variables, key, self._send(document, variables, key, by_header=by_header))
        payload = write.payload
        assert payload["outcome"] in _SETTLED, payload
        assert payload["replayed"] is False, payload
        assert bool(payload["userErrors"]) is (payload["outcome"] == "REJECTED"), payload
        if payload["outcome"] == "APPLIED":
            self._read_back(write)
        self.written.append(write)
        return write

    def _send(self, document: str, variables: Mapping[str, object], key: str, *, by_header: bool = False) -> Answer:
        keyed = dict(variables) if by_header else {**variables, "key": key}
        headers = {"idempotency-key": key} if by_header else {}
        made: Answer = self._data(document, headers=headers, **keyed)["made"]
        return made

    def _read_back(self, write: Write) -> None:
        """Fail unless what was made can be read, and the trail tells of it."""
        made = write.payload["result"]
        assert write.payload["request"]["sent"] is True
        assert self._data(f"query ($id: ID!) {{ node(id: $id) {{ ...Thing }} }} {_THING}", id=made["id"])["node"]["id"] == made["id"]
        told = {"idempotencyKey": write.key, "outcome": "APPLIED", "result": {"id": made["id"]}}
        assert write.payload["attempt"] == told
        newest = "{ attempts(first: 1) { nodes { idempotencyKey } } }"
        assert self._data(newest)["attempts"]["nodes"] == [{"idempotencyKey": write.key}]

    @rule(at=_AT, by_header=st.booleans())
    def repeat(self, at: int, *, by_header: bool) -> None:
        """Send a write again under its key: the answer is the same, and nothing is sent."""
        if not self.written:
            return
        write = _pick(self.written, at)
        again = self._send(write.document, write.variables, write.key, by_header=by_header)
        assert again["outcome"] == write.payload["outcome"], (write, again)
        if write.is_kept:
            assert again["replayed"] is True, (write, again)
            told = ("confirmation", "attempt", "userErrors")
            assert [again[name] for name in told] == [write.payload[name] for name in told], (write, again)
            assert (again["result"] or {}).get("id") == (write.payload["result"] or {}).get("id"), (write, again)

    @rule(at=_AT)
    def take_a_key_for_something_else(self, at: int) -> None:
        """Send something else under a key that is taken: it is refused."""
        kept = [write for write in self.written if write.is_kept]
        if not kept:
            return
        write = _pick(kept, at)
        customer = self._one(at, "Customer", "subscriptions")
        refused = self._send(_SET, {"customer": customer.by_id, "settings": self._settings()}, write.key)
        assert [error["code"] for error in refused["userErrors"]] == ["IDEMPOTENCY_KEY_REUSED"], (write, refused)

    @rule(at=_AT)
    def ask_what_became(self, at: int) -> None:
        """Ask for the attempt of a key: it says what the answer said, and one of a key that was never used is null."""
        if not self.written:
            return
        write = _pick(self.written, at)
        assert self._data(_ATTEMPT, key=write.key)["attempt"] == write.payload["attempt"]
        assert self._data(_ATTEMPT, key=self._name_one("never"))["attempt"] is None

    @rule(at=_AT)
    def rehearse(self, at: int) -> None:
        """Rehearse a write that was made: nothing is sent, and nothing is remembered."""
        if not self.written:
            return
        write = _pick(self.written, at)
        key = self._name_one("dry")
        payload = self._send(write.document, {**write.variables, "dry": True}, key)
        assert payload["outcome"] in {"VALIDATED", "REJECTED"}, payload
        assert (payload["attempt"], (payload["request"] or {"sent": False})["sent"]) == (None, False), payload
        assert self._data(_ATTEMPT, key=key)["attempt"] is None


def over(say: Say, places: Iterator[int]) -> type[Dialogue]:
    """Make the dialogues with one gateway."""

    class WithOne(Dialogue):
        def __init__(self) -> None:
            super().__init__(say, next(places))

    return WithOne


def _pick(choice: Sequence[_T], at: int) -> _T:
    return choice[at % len(choice)]


def _spoilt(text: str, at: int) -> str:
    """Change one letter."""
    place = at % max(1, len(text))
    return text[:place] + ("A" if text[place : place + 1] != "A" else "B") + text[place + 1 :]
