"""`/graphql`: from bytes to a context, through the graph, back to bytes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import InvalidInput, LimitExceeded
from gateway.execution import Ask, DocumentLimits, Executor, Facts, ReadDocument
from gateway.loaders import Clock, LinkRules, Loaders, Scope, SourceSet, Trace
from gateway.model import Caller, Permission
from gateway.schema import Context, CostModel, InvalidDocument, Weighed, Writes
from gateway.server.asks import Asked, read_address, read_body
from gateway.server.callers import Admission
from gateway.server.documents import LinkSigner
from gateway.server.door import BodyTooSlow, MethodNotAllowed, observing, respond
from gateway.server.negotiation import Form, choose_form
from gateway.server.observed import Observed, Observer
from gateway.server.presence import while_present
from gateway.server.trusted import Chosen, TrustedDocuments
from gateway.settings import LimitSettings, Settings

_ASKED: Final = "asked"
"""What is asked below the fields of a document is the same each time, unless variables say what is skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """What answers the operations of all requests."""

    executor: Executor
    sources: SourceSet
    writes: Writes
    link_rules: LinkRules = field(default_factory=LinkRules)
    signer: LinkSigner | None = None
    trusted: TrustedDocuments = field(default_factory=TrustedDocuments)
    costs: CostModel | None = None
    """None: nothing is refused for what it may cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extensions:
    """What an answer says of the operation beside its data."""

    weighed: Weighed | None
    shows_cost: bool
    explains: bool
    shows_calls: bool

    def of(self, scope: Scope) -> dict[str, object]:
        """Give `extensions` of an answer whose calls have been made; nothing where nothing was asked for."""
        shown: dict[str, object] = {}
        if self.weighed is not None and self.shows_cost:
            shown["cost"] = self.weighed.cost.to_plain(scope.calls.made)
        if self.weighed is not None and self.explains:
            shown["explain"] = self.weighed.explanation.to_plain()
        if scope.trace is not None and self.shows_calls:
            shown["upstreamCalls"] = scope.trace.to_plain()
        return {"extensions": shown} if shown else {}


class GraphqlEndpoint:
    """Answers GraphQL over HTTP."""

    def __init__(self, graph: Graph, admission: Admission, settings: Settings, clock: Clock, observer: Observer) -> None:
        self._graph = graph
        self._admission = admission
        self._settings = settings
        self._clock = clock
        self._observer = observer

    async def answer(self, request: Request) -> Response:
        """Answer one request. Whatever went wrong is JSON with a code; nobody gets a traceback."""
        accept = request.headers.get("accept")
        return await observing(self._observer, "unread", request, lambda observed: self._answer(request, observed), accept=accept)

    async def _answer(self, request: Request, observed: Observed) -> Response:
        form = choose_form(request.headers.get("accept"))
        async with self._admission.admitted(request.headers.get("authorization")) as caller:
            return await self._answer_to(caller, request, observed, form)

    async def _answer_to(self, caller: Caller, request: Request, observed: Observed, form: Form) -> Response:
        chosen = self._graph.trusted.choose(await self._asked(request, observed))
        ask = chosen.ask
        document = self._graph.executor.read(ask.query)
        facts = document.facts(ask.operation_name)
        observed.type = "mutation" if facts.is_mutation else "query"
        self._check_introspection(facts, caller)
        if not facts.names_one_operation:
            raise InvalidInput("operationName must name one operation of the document")
        observed.operation = self._observer.name_of(document, ask.operation_name)
        if facts.is_mutation and request.method != "POST":
            raise MethodNotAllowed("a mutation is sent by POST")
        shows_calls = self._is_told("x-gateway-trace", caller, request)
        trace = Trace.start(self._clock, observed.span) if shows_calls or observed.span is not None else None
        deadline = self._clock.monotonic() + self._seconds_for(facts)
        scope = observed.scope = Scope(request_id=observed.request_id, deadline=deadline, trace=trace)
        context = self._context(caller, request, scope, document)
        shows_cost = request.headers.get("x-gateway-cost") == "1"
        explains = self._is_told("x-gateway-explain", caller, request)
        weighed = self._weighed(document, ask, context, is_told=shows_cost or explains)
        extensions = _Extensions(weighed=weighed, shows_cost=shows_cost, explains=explains, shows_calls=shows_calls)
        return await while_present(request.receive, self._execute(chosen, document, context, extensions, form, observed))

    def _is_told(self, header: str, caller: Caller, request: Request) -> bool:
        """Say whether a caller asks for what only explorers are told."""
        return request.headers.get(header) == "1" and caller.may(Permission.EXPLORER)

    async def _asked(self, request: Request, observed: Observed) -> Asked:
        if request.method != "POST":
            return read_address(request)
        began_at = self._clock.monotonic()
        try:
            body = await self._body_in_time(request)
        finally:
            observed.waited_seconds = self._clock.monotonic() - began_at
        return read_body(request.headers.get("content-type", ""), body)

    async def _body_in_time(self, request: Request) -> bytes:
        """Read the body; a client that takes its time would have a place among the requests in hand for ever."""
        seconds = self._settings.server.deadline_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._body(request)
        except TimeoutError:
            raise BodyTooSlow(f"the body did not arrive within {seconds:g} s") from None

    async def _body(self, request: Request) -> bytes:
        limit = self._settings.limits.max_body_bytes
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise LimitExceeded("REQUEST_TOO_LARGE", f"the body is larger than {limit} bytes")
        return bytes(body)

    def _check_introspection(self, facts: Facts, caller: Caller) -> None:
        server = self._settings.server
        allowed = server.introspection or server.explorer or caller.may(Permission.EXPLORER)
        if facts.asks_for_schema and not allowed:
            raise InvalidInput("introspection is switched off")

    def _seconds_for(self, facts: Facts) -> float:
        server = self._settings.server
        return server.mutation_deadline_seconds if facts.is_mutation else server.deadline_seconds

    def _weighed(self, document: ReadDocument, ask: Ask, context: Context, *, is_told: bool) -> Weighed | None:
        """Weigh an operation before it is executed; None of one that cannot be, and where nobody wants to be told.

        Raises `LimitExceeded` for one that costs too much.
        """
        costs, node = self._graph.costs, document.node
        if costs is None or node is None or document.errors:
            return None
        sources, variables, name = context.loaders.sources, ask.variables or {}, ask.operation_name
        with suppress(InvalidDocument):  # the graph says why
            if is_told:
                return costs.weigh(node, sources, variables=variables, operation_name=name)
            costs.check(node, sources, variables=variables, operation_name=name, kept=document.kept)
        return None

    async def _execute(
        self, chosen: Chosen, document: ReadDocument, context: Context, extensions: _Extensions, form: Form, observed: Observed
    ) -> Response:
        scope = context.loaders.scope
        async with aclosing(context.loaders):  # what was read for a field that is no longer of interest stops, too
            reading = scope.trace.reading if scope.trace is not None and extensions.shows_calls else None
            result = await self._graph.executor.run_read(document, chosen.ask, context, context.request_id, reading)
        observed.ran(result)
        answer: dict[str, object] = {"errors": result.errors} if result.errors else {}
        if result.ran:
            self._graph.trusted.keep(chosen)
            answer["data"] = result.data
            answer |= extensions.of(scope)
        return respond(answer, form.status_of(is_executed=result.ran), form)

    def _context(self, caller: Caller, request: Request, scope: Scope, document: ReadDocument) -> Context:
        return Context(
            caller=caller,
            loaders=Loaders(self._graph.sources.seen_by(caller.sources), scope),
            writes=self._graph.writes,
            request_id=scope.request_id,
            max_nodes=self._settings.limits.max_nodes,
            idempotency_header=request.headers.get("idempotency-key"),
            link_rules=self._graph.link_rules,
            sign_document=_no_link if self._graph.signer is None else self._graph.signer.sign,
            asked={} if document.is_conditional else document.kept.setdefault(_ASKED, {}),
        )


def document_limits(limits: LimitSettings) -> DocumentLimits:
    """Give what `[limits]` says of documents."""
    return DocumentLimits(
        characters=limits.max_document_characters,
        tokens=limits.max_tokens,
        depth=limits.max_depth,
        aliases=limits.max_aliases,
        root_fields=limits.max_root_fields,
        directives=limits.max_directives,
        fields=limits.max_fields,
        overlaps=limits.max_overlaps,
    )


def _no_link(_invoice_id: str, _seconds: int) -> None:
    """Make no link: no signing key is configured."""
