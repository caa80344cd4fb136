"""What schemathesis is told about this graph: values of its scalars, and what is right in an answer.

Schemathesis loads it by its name; it is not installed by default (dependency group `fuzz`). Its own checks take every entry in
`errors` for a failure of the server or of the data; here an error is how a source, a limit or a value is refused, by code.
"""

from __future__ import annotations

import json
from typing import Any, Final

import schemathesis
from graphql import (
    GraphQLSchema,
    NameNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    print_ast,
    visit,
)
from hypothesis import strategies as st
from schemathesis.graphql import nodes

from tests.drills.answers import Heard, codes, complaints

_ONE_OF: Final = "Lookup"
_AN_ID: Final = ObjectFieldNode(name=NameNode(value="id"), value=StringValueNode(value="WyJjIiwicG9zIiwiMSJd"))
_DECIMALS = st.decimals(-(10**12), 10**12, allow_nan=False, places=2)
_JSON = st.recursive(
    st.one_of(st.text(max_size=8).map(nodes.String), st.integers(-(2**31), 2**31 - 1).map(nodes.Int), st.booleans().map(nodes.Boolean)),
    lambda inner: st.lists(inner, max_size=3).map(nodes.List),
    max_leaves=4,
)

for _name, _values in {
    "CurrencyCode": st.from_regex(r"[A-Z]{3}", fullmatch=True).map(nodes.String),
    "Date": st.dates().map(str).map(nodes.String),
    "DateTime": st.datetimes().map(lambda at: nodes.String(f"{at.isoformat()}Z")),
    "Decimal": st.one_of(_DECIMALS.map(str).map(nodes.String), st.integers(-(2**31), 2**31 - 1).map(nodes.Int)),
    "JSON": _JSON,
    "UUID": st.uuids().map(lambda uuid: StringValueNode(value=str(uuid))),
}.items():
    schemathesis.graphql.scalar(_name, _values)


def well_formed_answer(_context: object, response: Any, case: Any) -> None:  # noqa: ANN401  (its types are not installed everywhere)
    """Fail unless the answer keeps the rules of GraphQL over HTTP and ours, and a document that is valid is not called invalid."""
    heard = Heard(response.status_code, (response.headers.get("content-type") or [""])[0], response.content)
    found = complaints(heard)
    if not found and case.meta.generation.mode.is_positive and "GRAPHQL_VALIDATION_FAILED" in codes(json.loads(heard.body)):
        found = ["a valid document is called invalid"]
    assert not found, "; ".join(found)


schemathesis.check(well_formed_answer)


def before_call(_context: object, case: Any, _kwargs: object) -> None:  # noqa: ANN401
    """Ask for either media type, by the document, so that a case stays what it is; and give valid documents valid lookups."""
    case.headers["Accept"] = ("application/json", "application/graphql-response+json", "*/*")[len(case.body) % 3]
    if case.meta.generation.mode.is_positive:
        case.body = with_one_key_a_lookup(case.body, case.operation.schema.client_schema)


schemathesis.hook(before_call)


def with_one_key_a_lookup(text: str, schema: GraphQLSchema) -> str:
    """Keep one key of each `Lookup`: schemathesis does not ask whether an input is `@oneOf`."""
    types = TypeInfo(schema)
    return print_ast(visit(parse(text), TypeInfoVisitor(types, _OneKey(types))))


class _OneKey(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types

    def enter_object_value(self, node: ObjectValueNode, *_: object) -> ObjectValueNode | None:
        """Say what stands in the place of an object; None: itself."""
        if str(get_named_type(self._types.get_input_type())) != _ONE_OF:
            return None
        given = [field for field in node.fields if not isinstance(field.value, NullValueNode)] or [_AN_ID]
        return ObjectValueNode(fields=(given[len(print_ast(node)) % len(given)],))
