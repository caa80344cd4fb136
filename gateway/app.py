"""The composition root: the one place that makes real things out of settings."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from starlette.applications import Starlette

from gateway.errors import SettingsError
from gateway.execution import Executor
from gateway.explorer import Journey
from gateway.journal import Journal, keep_clean
from gateway.loaders import LinkRule, LinkRules, read_link_file
from gateway.model import UNREAD, OrderStatus, PaymentStatus
from gateway.mutations import ShowsSubmitted, Writes
from gateway.schema import CostModel, Explainer, Federation, build_schema
from gateway.server import (
    Admission,
    Authenticator,
    Callers,
    DocumentCheck,
    DocumentEndpoint,
    FetchKeys,
    Graph,
    GraphqlEndpoint,
    Keys,
    KeysAnswer,
    KeysNotFetched,
    LinkSigner,
    Load,
    SourcesPage,
    Tokens,
    TrustedDocuments,
    document_limits,
    make_rates,
    make_server,
    read_manifest,
)
from gateway.settings import Settings, SourceSettings, load_settings, parse_settings
from gateway.sources import SOURCES
from gateway.sources.base import Source, SourceParts, SourceProfile, SourceSet
from gateway.transport import Clock, SystemClock
from gateway.transport.http1_wire import Http1Wire
from gateway.transport.http_upstream import HttpUpstream
from gateway.transport.pace import Paces
from gateway.transport.tls import tls_context, usual_tls_context
from gateway.transport.wire import Wire, WireError, WireRequest

_MAX_BYTES_OF_KEYS = 256_000
_SPECS = MappingProxyType({spec.name: spec for spec in SOURCES})


@dataclass(frozen=True, slots=True)
class Gateway:
    """The sources of a configuration, and what has to be closed at the end."""

    sources: SourceSet
    wires: tuple[Wire, ...]

    async def aclose(self) -> None:
        """Close all connections."""
        for wire in self.wires:
            await wire.aclose()


def read_settings(path: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Read a configuration file for the systems there are; raises `SettingsError`."""
    return load_settings(path, {name: spec.options for name, spec in _SPECS.items()}, environ)


def settings_from(data: Mapping[str, Any]) -> Settings:
    """Validate a configuration that is no file; raises `SettingsError`."""
    return parse_settings(data, {name: spec.options for name, spec in _SPECS.items()})


def make_journal(settings: Settings, clock: Clock | None = None) -> Journal:
    """Make the journal of a configuration, which is not open yet. Raises `SettingsError`."""
    return Journal(settings.server.state.get_secret_value(), now=(clock or SystemClock()).now)


async def open_journal(settings: Settings, clock: Clock | None = None) -> Journal:
    """Open the journal of a configuration; makes its tables where they are missing. Raises `SettingsError`."""
    journal = make_journal(settings, clock)
    await _open(journal, settings)
    return journal


async def _open(journal: Journal, settings: Settings) -> None:
    await journal.open()
    for key, source in settings.sources.items():
        for former in source.former_keys:
            await journal.adopt(former, key)


def make_writes(journal: Journal, settings: Settings, clock: Clock | None = None) -> Writes:
    """Make what carries out writes over a journal."""
    return Writes(journal, clock or SystemClock(), settle_after_seconds=settings.journal.settle_after_seconds)


def make_gateway(settings: Settings, wire: Wire | None = None, clock: Clock | None = None, *, journal: Journal | None = None) -> Gateway:
    """Make the sources of a configuration; with `wire` all of them send over it. Raises `SettingsError`.

    With `journal` they also show what was written through it and is not shown by the systems themselves.
    """
    used_clock = clock or SystemClock()
    paces = Paces(used_clock)
    usual_tls = usual_tls_context()  # made once: reading the certificates of all authorities takes a while
    wires: list[Wire] = []
    sources: list[Source] = []
    former: dict[str, str] = {}
    for key, source_settings in settings.sources.items():
        if not source_settings.enabled:
            continue
        used_wire = wire or Http1Wire(tls=_tls(key, source_settings) or usual_tls)
        wires.append(used_wire)
        source = _make_source(key, source_settings, used_wire, used_clock, paces)
        sources.append(source if journal is None else ShowsSubmitted(source, journal))
        former.update(dict.fromkeys(source_settings.former_keys, key))
    return Gateway(SourceSet(sources, former), tuple(dict.fromkeys(wires)))


def _make_source(key: str, settings: SourceSettings, wire: Wire, clock: Clock, paces: Paces) -> Source:
    spec = _SPECS[settings.system]
    profile = SourceProfile(
        key=key,
        system=spec.system,
        display_name=settings.display_name or key,
        time_zone=ZoneInfo(settings.time_zone),
        default_currency=settings.default_currency,
        payment_status={code: PaymentStatus(name) for code, name in settings.payment_status.items()},
        order_status={code: OrderStatus(name) for code, name in settings.order_status.items()},
        currencies=settings.currencies,
        labels=settings.labels,
    )
    upstream = HttpUpstream(key, settings, wire, clock, paces=paces)
    return spec.build(SourceParts(profile=profile, options=settings.options, upstream=upstream, clock=clock))


def _tls(key: str, settings: SourceSettings) -> ssl.SSLContext | None:
    try:
        return tls_context(ca_file=settings.ca_file, client_cert=settings.client_cert, client_key=settings.client_key)
    except OSError:  # also what ssl.SSLError is
        raise SettingsError(f"sources.{key}: ca_file, client_cert or client_key cannot be used as a certificate or key") from None


def _link_rules(settings: Settings) -> LinkRules:
    path = settings.links.file
    rules = frozenset(LinkRule(name.upper()) for name in settings.links.rules)
    return LinkRules(rules, {} if path is None else read_link_file(path))


def _federation(settings: Settings) -> Federation | None:
    return Federation(settings.federation.prefix) if settings.federation.enabled else None


def make_explainer(settings: Settings) -> Explainer:
    """Make what says the cost of documents. Raises `SettingsError`."""
    return Explainer(build_schema(_federation(settings)), max_nodes=settings.limits.max_nodes, link_rules=_link_rules(settings))


def make_costs(settings: Settings, explainer: Explainer) -> CostModel:
    """Make what refuses operations that may cost too much."""
    return CostModel(explainer, max_cost=settings.limits.max_cost, max_upstream_calls=settings.limits.max_upstream_calls)


def make_document_check(settings: Settings, explainer: Explainer) -> DocumentCheck:
    """Make what says whether documents can be answered."""
    return DocumentCheck(explainer, document_limits(settings.limits))


def make_trusted_documents(settings: Settings, explainer: Explainer) -> TrustedDocuments:
    """Read the documents that requests may name. Raises `SettingsError` with a line for each that can never be answered."""
    trust, path = settings.server.trusted_documents, settings.server.documents
    if trust == "off" or path is None:
        return TrustedDocuments()
    try:
        documents = read_manifest(path)
    except SettingsError as error:
        raise SettingsError(*(f"server.documents: {line}" for line in error.lines)) from None
    mistakes = [f"server.documents: {path}: {line}" for line in make_document_check(settings, explainer).mistakes_in(documents)]
    if mistakes:
        raise SettingsError(*mistakes)
    return TrustedDocuments(trust, documents)


def _keys_over(wire: Wire) -> FetchKeys:
    async def fetch(url: str) -> KeysAnswer:
        request = WireRequest(
            method="GET",
            url=url,
            headers={"accept": "application/json"},
            timeout_seconds=3,
            connect_timeout_seconds=1,
            max_answer_bytes=_MAX_BYTES_OF_KEYS,
        )
        try:
            response = await wire.send(request)
        except WireError as error:
            raise KeysNotFetched(str(error)) from None
        if response.status != 200:  # noqa: PLR2004  (RFC 9110, 15.3.1)
            raise KeysNotFetched(f"the status is {response.status}")
        return KeysAnswer(response.body, response.headers.get("cache-control", ""))

    return fetch


def _admission(settings: Settings, wire: Wire | None, clock: Clock) -> Admission:
    jwt = settings.jwt
    tokens = None if jwt is None or wire is None else Tokens(jwt, Keys(jwt.jwks_url, jwt.algorithms, _keys_over(wire), clock), clock)
    return Admission(Authenticator(Callers(settings.callers), tokens), make_rates(settings, clock))


def create_app(settings: Settings, wire: Wire | None = None, clock: Clock | None = None, *, journeys: Sequence[Journey] = ()) -> Starlette:
    """Make the application. Raises `SettingsError` when it would be open to others than this machine."""
    if settings.is_open and not settings.on_loopback:
        raise SettingsError(f"server.host: {settings.server.host} can be reached from outside, and no [[callers]] are configured")
    used_clock = clock or SystemClock()
    journal = make_journal(settings, used_clock)
    writes = make_writes(journal, settings, used_clock)
    gateway = make_gateway(settings, wire, used_clock, journal=journal)
    key = settings.server.signing_key
    signer = None if key is None else LinkSigner(key.get_secret_value().encode(), used_clock)
    schema, rules = build_schema(_federation(settings)), _link_rules(settings)
    explainer = Explainer(schema, max_nodes=settings.limits.max_nodes, link_rules=rules)
    wire_of_keys = None if settings.jwt is None else wire or Http1Wire()  # it reads the certificates of all authorities
    admission = _admission(settings, wire_of_keys, used_clock)
    graph = Graph(
        executor=Executor(schema, absent=UNREAD, limits=document_limits(settings.limits)),
        sources=gateway.sources,
        writes=writes,
        link_rules=rules,
        signer=signer,
        trusted=make_trusted_documents(settings, explainer),
        costs=make_costs(settings, explainer),
    )
    endpoint = GraphqlEndpoint(graph, admission, settings, used_clock)
    documents = DocumentEndpoint(gateway.sources, settings, used_clock, signer, admission)
    sources_page = SourcesPage(gateway.sources, admission, used_clock, has_explorer=settings.server.explorer)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await _open(journal, settings)
        cleaning = asyncio.ensure_future(keep_clean(journal, keep_days=settings.journal.keep_days, audit_days=settings.journal.audit_days))
        try:
            yield
        finally:
            await writes.aclose()
            cleaning.cancel()
            await asyncio.wait([cleaning])
            await journal.aclose()
            await gateway.aclose()
            if wire_of_keys is not None:
                await wire_of_keys.aclose()

    load = Load(used_clock, settings.limits.max_requests_in_flight)
    app = make_server(endpoint, documents, sources_page, settings.server, journeys, lifespan, load)
    app.state.load = load  # for the process around it, which says when it stops
    return app
