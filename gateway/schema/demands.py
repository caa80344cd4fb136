"""What a document demands of which source, as far as that can be told before anybody is asked.

Walks the selection as the resolvers will, from the view of each source that an object may be of. What is not known (a variable,
how many rows there are) counts as the most there can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeGuard

from graphql import (
    FieldNode,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    get_named_type,
    value_from_ast_untyped,
)
from strawberry.utils.str_converters import to_camel_case

from gateway.errors import InvalidInput, LimitExceeded
from gateway.loaders import ASSUMED_ORDERS, MAX_FIRST, By, Demand, LinkRules, Need, Reads, Source, SourceSet, reads_of_all, reads_of_page
from gateway.model import CRITERIA, Kind, Operation, Record, Ref
from gateway.schema.completion import NEEDS_RAW, TYPE_NAMES, attributes_of
from gateway.schema.naming import own_name, type_of_own_name
from gateway.schema.paging import ASK_AHEAD, DEFAULT_FIRST
from gateway.schema.representations import ENTITIES, to_kind_and_id
from gateway.schema.selection import fields_below, names_below

_RECORDS: Final[Mapping[str, type[Record]]] = {name: record_type for record_type, name in TYPE_NAMES.items()}
_NAMES: Final[Mapping[Kind, str]] = {
    Kind.CUSTOMER: "Customer",
    Kind.ORDER: "Order",
    Kind.INVOICE: "Invoice",
    Kind.INVOICE_SETTINGS: "InvoiceSettings",
}
_OBJECTS: Final = {"customer": Kind.CUSTOMER, "order": Kind.ORDER, "invoice": Kind.INVOICE}
_LISTS: Final = {"customers": Kind.CUSTOMER, "orders": Kind.ORDER, "invoices": Kind.INVOICE}
_WRITES: Final = {
    "createInvoice": Operation.CREATE_INVOICE,
    "createInvoiceFromOrder": Operation.CREATE_INVOICE_FROM_ORDER,
    "setInvoiceSettings": Operation.SET_INVOICE_SETTINGS,
}
_OUTCOMES: Final = (
    ("CreateInvoicePayload", "invoice", Kind.INVOICE, By.REFERENCE),
    ("CreateInvoicePayload", "order", Kind.ORDER, By.REFERENCE),
    ("SetInvoiceSettingsPayload", "settings", Kind.INVOICE_SETTINGS, By.ROW),
    ("SetInvoiceSettingsPayload", "previous", Kind.INVOICE_SETTINGS, By.ROW),
)
"""Where a write gives objects: those of a payload's own are whole, as rows are."""
_MADE_BY: Final = {
    Operation.CREATE_INVOICE: ("CreateInvoicePayload", Kind.INVOICE),
    Operation.CREATE_INVOICE_FROM_ORDER: ("CreateInvoicePayload", Kind.INVOICE),
    Operation.SET_INVOICE_SETTINGS: ("SetInvoiceSettingsPayload", Kind.INVOICE_SETTINGS),
}
_CRITERION_OF: Final = {to_camel_case(name): name for name in CRITERIA}
_PAID: Final = {"amountDue": "amount_due", "payments": "payments"}
_OWN_CURRENCY: Final = frozenset({("Order", "currency"), ("Invoice", "currency"), ("InvoiceSettings", "currency")})
_MAY_WARN_OF_CURRENCY: Final = frozenset({("Order", "warnings"), ("Invoice", "warnings"), ("InvoiceSettings", "warnings")})
_OF_MONEY: Final = frozenset({("Money", "currency"), ("Money", "currencyOrigin")})

Path = tuple[str, ...]
Nodes = Sequence[FieldNode]
Ways = tuple[By, ...]
Criteria = frozenset[str]


@dataclass(frozen=True, slots=True)
class Thought:
    """An operation that is only thought of. A variable that is not in `variable_values` is not known."""

    schema: GraphQLSchema
    fragments: Mapping[str, Any]
    operation: OperationDefinitionNode
    variable_values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cause:
    """Fields that demand something of a source, `times` as often. Of several `options` one is the case, and nobody knows which."""

    source: Source
    options: tuple[Demand, ...]
    paths: tuple[str, ...]
    times: int = 1
    open_ended: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Objects of one source at one place of the answer: `times` groups of `count`, a group being there at the same time."""

    source: Source
    path: Path
    count: int = 1
    times: int = 1
    open_ended: bool = False


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of an object or of one of its values, down to where another object stands."""

    path: Path
    type_name: str
    nodes: Nodes
    is_of_line: bool

    @property
    def key(self) -> tuple[str, str]:
        return self.type_name, self.nodes[0].name.value


@dataclass(slots=True)
class Walk:
    """Collects the causes of one operation."""

    thought: Thought
    sources: SourceSet
    max_nodes: int
    link_rules: LinkRules
    most_causes: int | None = None
    """How many causes are collected at the most; None: all."""
    causes: list[Cause] = field(default_factory=list)

    def run(self) -> list[Cause]:
        """Walk the whole operation. Raises `LimitExceeded` where there are too many causes."""
        operation = self.thought.operation
        root = self.thought.schema.get_root_type(operation.operation)
        if root is not None:
            for name, nodes in self._grouped([operation.selection_set], root.name):
                self._root(nodes, (name,))
        return self.causes

    # ------------------------------------------------------------------ the root

    def _root(self, nodes: Nodes, path: Path) -> None:
        name = nodes[0].name.value
        if name in _OBJECTS:
            kind = _OBJECTS[name]
            for source, ways in self._named(self._argument(nodes, "by"), kind):
                self._object(_Place(source, path), kind, ways, nodes)
        elif name in _LISTS:
            self._root_list(_LISTS[name], nodes, path)
        elif name == "node":
            self._by_ids([self._argument(nodes, "id")], nodes, path)
        elif name == "nodes":
            ids = self._argument(nodes, "ids")
            self._by_ids(ids if isinstance(ids, list) else [Undefined] * self.max_nodes, nodes, path)
        elif name == "_entities":
            self._by_representations(self._argument(nodes, "representations"), nodes, path)
        elif name in _WRITES:
            self._write(_WRITES[name], nodes, path)
        elif name in {"attempt", "attempts"}:
            self._attempts(nodes, path)

    def _attempts(self, nodes: Nodes, path: Path) -> None:
        """Demand what attempts made, which may be an object of any source; the look at an unanswered write is what a failure costs."""
        if nodes[0].name.value == "attempt":
            for below, inner in self._at(nodes, "MutationAttempt", "result"):
                self._by_ids([Undefined], inner, path + below)
            return
        for way in (("nodes", "result"), ("edges", "node", "result")):
            for below, inner in self._at(nodes, "MutationAttemptConnection", *way):
                self._by_ids([Undefined] * self._first(nodes), inner, path + below)

    def _by_ids(self, ids: Sequence[Any], nodes: Nodes, path: Path) -> None:
        known = {ref for value in ids if isinstance(value, str) and (ref := _ref_of(value)) is not None}
        unknown = sum(value is Undefined for value in ids)
        self._by_refs(known, unknown, _NAMES, nodes, path)

    def _by_representations(self, given: Any, nodes: Nodes, path: Path) -> None:  # noqa: ANN401  (any JSON value)
        refs = [self._named_by(each) for each in given] if isinstance(given, list) else [None] * self.max_nodes
        self._by_refs({ref for ref in refs if ref is not None}, refs.count(None), ENTITIES.values(), nodes, path)

    def _named_by(self, representation: object) -> Ref | None:
        """Give what a representation names; None where that is not known, or nothing."""
        try:
            kind, global_id = to_kind_and_id(self.thought.schema, representation)
        except InvalidInput:
            return None
        ref = _ref_of(global_id)
        return ref if ref is not None and ref.kind is kind else None

    def _by_refs(self, known: AbstractSet[Ref], unknown: int, kinds: Iterable[Kind], nodes: Nodes, path: Path) -> None:
        """Demand objects that references name, and as many more as are not known, which may be of any source and kind."""
        for source in self.sources:
            for kind in kinds:
                count = unknown + sum(ref.kind is kind and self.sources.get(ref.source) is source for ref in known)
                self._object(_Place(source, path, count), kind, (By.KEY,), nodes)

    def _named(self, lookup: Any, kind: Kind) -> list[tuple[Source, Ways]]:  # noqa: ANN401  (any JSON value)
        """Give the sources that a lookup may be of, and the ways in which it may name the object."""
        key, ways = _key_and_ways(lookup, kind)
        if key is Undefined:
            return [(source, ways) for source in self.sources]
        found = self.sources.get(key) if isinstance(key, str) else None
        return [] if found is None else [(found, ways)]

    def _write(self, operation: Operation, nodes: Nodes, path: Path) -> None:
        """Demand the write, what names its objects, and what is asked of its outcome."""
        given, customer, order = (self._argument(nodes, name) for name in ("input", "customer", "order"))
        orders: Any = []
        if operation is Operation.CREATE_INVOICE:
            source = self._argument(nodes, "source")
            targets = [each for each in self.sources if source in {each.profile.key, Undefined}]
            customer, orders = (given.get("customer"), given.get("orders")) if isinstance(given, dict) else (given, given)
            lookups = [(customer, Kind.CUSTOMER), *((each, Kind.ORDER) for each in _listed(orders))]
        else:
            kind, lookup = (Kind.ORDER, order) if operation is Operation.CREATE_INVOICE_FROM_ORDER else (Kind.CUSTOMER, customer)
            targets = [source for source, _ in self._named(lookup, kind)]
            lookups = [(lookup, kind)]
        for lookup, kind in lookups:
            self._found_by_number(lookup, kind, path)
        for target in targets:
            place = _Place(target, path)
            demand = Demand(need=Need.WRITE, kind=Kind.INVOICE, count=len(_listed(orders)), operation=operation)
            self._demand(place, demand)
            for payload, name, kind, by in _OUTCOMES:
                for below, inner in self._at(nodes, payload, name):
                    self._object(replace(place, path=path + below), kind, (by,), inner)
            payload, kind = _MADE_BY[operation]
            for below, inner in self._at(nodes, payload, "attempt", "result"):
                self._object(replace(place, path=path + below), kind, (By.KEY,), inner)

    def _found_by_number(self, lookup: Any, kind: Kind, path: Path) -> None:  # noqa: ANN401  (any JSON value)
        """Demand the look-up of a number; other ways to name an object that is only referred to cost nothing."""
        for source, ways in self._named(lookup, kind):
            if By.NUMBER in ways:
                self._demand(_Place(source, path), Demand(need=Need.RECORD, kind=kind, by=By.NUMBER))

    # ------------------------------------------------------------------ objects

    def _object(self, place: _Place, kind: Kind, ways: Ways, nodes: Nodes) -> None:
        """Demand objects of a kind that are known in one of some ways, and what is asked below them."""
        if not place.count * place.times:
            return
        asked = frozenset(names_below(self.thought, nodes, _NAMES[kind]))
        fields = None if NEEDS_RAW in asked and ways != (By.ROW,) else attributes_of(asked, _RECORDS[_NAMES[kind]])
        self._demand(place, *(Demand(need=Need.RECORD, kind=kind, count=place.count, by=way, fields=fields) for way in ways))
        below = list(self._fields(_selections(nodes), _NAMES[kind], place.path))
        for demand, causes in _asides(Demand(need=Need.LINES, kind=kind, count=place.count, by=ways[0]), below):
            self._demand(place, demand, causes=causes)
        for found in below:
            self._related(replace(place, path=found.path), kind, ways, found)

    def _demand(self, place: _Place, *options: Demand, causes: Iterable[_Field] = ()) -> None:
        paths = tuple(".".join(cause.path) for cause in causes) or (".".join(place.path),)
        self.causes.append(Cause(place.source, options, paths, place.times, place.open_ended))
        if self.most_causes is not None and len(self.causes) > self.most_causes:
            reason = f"the operation asks sources at {len(self.causes)} places or more; at most {self.most_causes} are taken"
            raise LimitExceeded("COST_LIMIT", reason)

    def _related(self, place: _Place, kind: Kind, ways: Ways, found: _Field) -> None:
        """Go on with the objects that stand at a field."""
        match found.key:
            case ("Order" | "Invoice" | "InvoiceSettings", "customer") | ("InvoiceSettings", "invoiceRecipient"):
                self._object(place, Kind.CUSTOMER, (By.REFERENCE,), found.nodes)
            case ("Invoice", "orders"):
                self._object(_orders_of(place), Kind.ORDER, (By.REFERENCE,), found.nodes)
            case ("CreditedInvoice", "invoice"):
                self._object(place, Kind.INVOICE, (By.NUMBER,), found.nodes)
            case ("Customer", "invoiceSettings"):
                self._object(place, Kind.INVOICE_SETTINGS, (By.KEY,), found.nodes)
            case ("Customer", "links"):
                self._links(place, ways, found.nodes)
            case ("Customer" | "Order", "orders" | "invoices" as name):
                every = replace(place, count=1, times=place.count * place.times)
                self._list(every, _LISTS[name], [frozenset({kind.name.lower()})], found.nodes)
            case _:
                pass

    def _links(self, place: _Place, ways: Ways, nodes: Nodes) -> None:
        if not self.link_rules.is_used:
            return
        by = By.REFERENCE if ways == (By.ROW,) else ways[0]  # the customer is read once more unless it was read by key
        fields = frozenset({"number", "organization_number", "email"})
        self._demand(place, Demand(need=Need.RECORD, kind=Kind.CUSTOMER, count=place.count, by=by, fields=fields))
        rules = sorted(rule.attribute for rule in self.link_rules.rules if rule.attribute is not None)
        for source in self.sources:
            if source is place.source:
                continue
            every = replace(place, source=source, times=place.count * place.times)
            for rule in rules:
                demand = _list_of(Kind.CUSTOMER, frozenset({rule}), reads_of_page(MAX_FIRST))
                self._demand(replace(every, open_ended=True), demand)
            named = self.link_rules.most_named(source.profile.key)
            if named:
                self._demand(every, Demand(need=Need.RECORD, kind=Kind.CUSTOMER, count=named, fields=None))
            for below, inner in self._at(nodes, "CustomerLinks", "nodes", "customer"):
                linked = replace(every, path=place.path + below, count=len(rules) + named)
                self._object(linked, Kind.CUSTOMER, (By.ROW,), inner)

    # ------------------------------------------------------------------ lists

    def _root_list(self, kind: Kind, nodes: Nodes, path: Path) -> None:
        given = self._argument(nodes, "filter")
        is_merged = kind is Kind.INVOICE and self._argument(nodes, "orderBy") in {"ISSUE_DATE_DESC", Undefined}
        value = given if isinstance(given, dict) else {}
        keys = value.get("sources")
        chosen = [source for source in self.sources if not _is_known(keys) or self._is_one(source, keys)]
        for name in ("customer", "order"):
            lookup = Undefined if given is Undefined else value.get(name)
            if lookup is not None and name in self._criteria_of(nodes):
                self._found_by_number(lookup, _OBJECTS[name], path)
            if lookup is not None and given is not Undefined:
                owners = [source for source, _ in self._named(lookup, _OBJECTS[name])]
                chosen = [source for source in chosen if source in owners]
        for source in chosen:
            self._list(_Place(source, path), kind, self._criteria(given, nodes), nodes, is_merged=is_merged)

    def _is_one(self, source: Source, keys: Iterable[Any]) -> bool:
        return any(isinstance(key, str) and self.sources.get(key) is source for key in keys)

    def _criteria(self, given: Any, nodes: Nodes) -> list[Criteria]:  # noqa: ANN401  (any JSON value)
        """Give the criteria that a filter asks; where it is not known whether it asks one, with and without."""
        if given is Undefined:
            return [frozenset(), *(frozenset({name}) for name in sorted(self._criteria_of(nodes)))]
        value = given if isinstance(given, dict) else {}
        asked = frozenset(_CRITERION_OF[name] for name, item in value.items() if item is not None and name in _CRITERION_OF)
        sure = frozenset(_CRITERION_OF[name] for name, item in value.items() if item is not Undefined and name in _CRITERION_OF) & asked
        return [asked] if asked == sure else [asked, sure]

    def _criteria_of(self, nodes: Nodes) -> Criteria:
        """Give all the criteria that the filter of a list has."""
        query = self.thought.schema.query_type
        argument = None if query is None else query.fields[nodes[0].name.value].args.get("filter")
        input_type = None if argument is None else get_named_type(argument.type)
        names = input_type.fields if isinstance(input_type, GraphQLInputObjectType) else {}
        return frozenset(_CRITERION_OF[name] for name in names if name in _CRITERION_OF)

    def _list(self, place: _Place, kind: Kind, criteria: Sequence[Criteria], nodes: Nodes, *, is_merged: bool = False) -> None:
        """Demand a page of a list, and what is asked of its rows: as many as the page may have."""
        first = self._first(nodes)
        connection = f"{_NAMES[kind]}Connection"
        asked = {found[0].name.value for _, found in self._grouped(_selections(nodes), connection)}
        reads = reads_of_all() if is_merged else reads_of_page(first, looks_ahead=not ASK_AHEAD.isdisjoint(asked))
        demands = [_list_of(kind, each, reads) for each in criteria]
        if not any(place.source.worst_case(demand) for demand in demands):
            return  # it publishes no such list: there are no rows
        self._demand(place, *demands)
        for below, inner in (*self._at(nodes, connection, "nodes"), *self._at(nodes, connection, "edges", "node")):
            self._object(replace(place, path=place.path + below, count=first), kind, (By.ROW,), inner)

    def _first(self, nodes: Nodes) -> int:
        first = self._argument(nodes, "first")
        if first is None:
            return DEFAULT_FIRST
        return min(max(first, 0), MAX_FIRST) if isinstance(first, int) else MAX_FIRST

    # ------------------------------------------------------------------ the selection

    def _argument(self, nodes: Nodes, name: str) -> Any:  # noqa: ANN401  (any JSON value; `Undefined`: not known)
        value = next((argument.value for argument in nodes[0].arguments or () if argument.name.value == name), None)
        return None if value is None else value_from_ast_untyped(value, dict(self.thought.variable_values))

    def _grouped(self, selections: Iterable[SelectionSetNode | None], type_name: str) -> list[tuple[str, list[FieldNode]]]:
        """Give the fields of a type by the name that each has in the answer."""
        found: dict[str, list[FieldNode]] = {}
        for selection in selections:
            for node in fields_below(self.thought, selection, type_name):
                found.setdefault((node.alias or node.name).value, []).append(node)
        return list(found.items())

    def _at(self, nodes: Nodes, type_name: str, *names: str) -> Iterator[tuple[Path, list[FieldNode]]]:
        """Give each way from some fields down through fields of these names."""
        for response_name, found in self._grouped(_selections(nodes), type_name):
            if found[0].name.value != names[0]:
                continue
            if len(names) == 1:
                yield (response_name,), found
                continue
            inner = self._type_of(type_name, names[0])
            if inner is not None:
                yield from (((response_name, *path), deeper) for path, deeper in self._at(found, inner, *names[1:]))

    def _fields(self, selections: Iterable[SelectionSetNode | None], type_name: str, path: Path) -> Iterator[_Field]:
        """Give all fields of an object and of its values."""
        for name, nodes in self._grouped(selections, type_name):
            found = _Field((*path, name), type_name, nodes, is_of_line=False)
            yield found
            inner = self._type_of(type_name, nodes[0].name.value)
            if inner is not None and inner not in _RECORDS and not inner.endswith(("Connection", "Links")):
                is_line = inner == "Line"
                for deeper in self._fields(_selections(nodes), inner, found.path):
                    yield replace(deeper, is_of_line=True) if is_line else deeper

    def _type_of(self, type_name: str, name: str) -> str | None:
        """Give the object type of a field; None where it has another."""
        parent = type_of_own_name(self.thought.schema, type_name)
        known = parent.fields.get(name) if isinstance(parent, GraphQLObjectType) else None
        named = None if known is None else get_named_type(known.type)
        return own_name(named) if isinstance(named, GraphQLObjectType) else None


def _selections(nodes: Nodes) -> list[SelectionSetNode | None]:
    return [node.selection_set for node in nodes]


def _asides(demand: Demand, below: Sequence[_Field]) -> Iterator[tuple[Demand, list[_Field]]]:
    """Give what fields of an object demand beside the object itself, each with the fields that do."""
    currencies = [found for found in below if found.key in _OWN_CURRENCY | _MAY_WARN_OF_CURRENCY | _OF_MONEY]
    currency = frozenset({"currency", *("lines" for found in currencies if found.is_of_line)})
    paid = [found for found in below if found.type_name == "Invoice" and found.key[1] in _PAID]
    payments = frozenset(_PAID[found.key[1]] for found in paid)
    party = frozenset({"customer"})
    for need, fields, causes in (
        (Need.LINES, frozenset({"lines"}), [found for found in below if found.key in {("Order", "lines"), ("Invoice", "lines")}]),
        (Need.CURRENCY, currency, currencies),
        (Need.LABELS, frozenset[str](), [found for found in below if found.key == ("SourceCode", "label")]),
        (Need.PARTY, party, [found for found in below if found.key == ("Invoice", "customer")]),
        (Need.ROUNDING, frozenset({"totals"}), [found for found in below if found.key == ("Totals", "rounding")]),
        (Need.PAYMENTS, payments, paid),
    ):
        if causes:
            yield replace(demand, need=need, fields=fields), causes


def _orders_of(place: _Place) -> _Place:
    """Give the place of the orders of invoices; where the system names no bound, an assumed one."""
    most = place.source.orders_per_invoice
    if most is None:
        return replace(place, count=place.count * ASSUMED_ORDERS, open_ended=True)
    return replace(place, count=place.count * most)


def _list_of(kind: Kind, criteria: Criteria, reads: Reads) -> Demand:
    return Demand(
        need=Need.LIST,
        kind=kind,
        by=By.ROW,
        criteria=criteria,
        count=reads.rows,
        most_count=reads.most_rows,
        pages=reads.turns,
        most_pages=reads.most_turns,
    )


def _ref_of(global_id: str) -> Ref | None:
    try:
        return Ref.from_global_id(global_id)
    except InvalidInput:
        return None


def _key_and_ways(lookup: Any, kind: Kind) -> tuple[Any, Ways]:  # noqa: ANN401, PLR0911  (any JSON value; a table)
    """Read a lookup: the key of its source (`Undefined`: not known, None: there is none) and the ways in which it may name an object."""
    match lookup:
        case {"native": {"source": source}}:
            return source, (By.KEY,)
        case {"number": {"source": source}}:
            return source, (By.NUMBER,)
        case {"id": str(global_id)}:
            ref = _ref_of(global_id)
            return (None if ref is None or ref.kind is not kind else ref.source), (By.KEY,)
        case {"id": _} | {"native": _}:
            return Undefined, (By.KEY,)
        case {"number": _}:
            return Undefined, (By.NUMBER,)
        case None:
            return None, ()
        case _:
            return Undefined, (By.NUMBER, By.KEY)


def _is_known(keys: Any) -> TypeGuard[list[Any]]:  # noqa: ANN401  (any JSON value)
    return isinstance(keys, list) and Undefined not in keys


def _listed(value: Any) -> list[Any]:  # noqa: ANN401  (any JSON value)
    """Give the items of a list; of one that is not known as many as an invoice is assumed to have."""
    if value is Undefined:
        return [Undefined] * ASSUMED_ORDERS
    return value if isinstance(value, list) else []
