"""The composition root: the one place that makes real things out of settings."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from starlette.applications import Starlette

from gateway.errors import JournalUnavailable, SettingsError
from gateway.execution import Counts, Executor, facts_of, operations_of
from gateway.explorer import Journey
from gateway.journal import Journal, keep_clean
from gateway.loaders import LinkRule, LinkRules, read_link_file
from gateway.model import UNREAD, OrderStatus, PaymentStatus
from gateway.mutations import ShowsSubmitted, Writes
from gateway.schema import CostModel, Explainer, Federation, build_schema
from gateway.server import (
    Admission,
    AttemptCounts,
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
    MetricsPage,
    Numbers,
    Observer,
    Rates,
    Serving,
    SharedRates,
    SourcesPage,
    Standing,
    SwitchingApp,
    Tokens,
    TrustedDocuments,
    differences,
    document_limits,
    make_rates,
    make_server,
    read_manifest,
    with_what_is_fixed,
)
from gateway.settings import JwtSettings, Settings, SourceSettings, load_settings, parse_settings
from gateway.sources import SOURCES
from gateway.sources.base import Source, SourceParts, SourceProfile, SourceSet
from gateway.telemetry import Metrics, Processes, Spans, UpstreamMeter, make_spans
from gateway.transport import Clock, SystemClock
from gateway.transport.http1_wire import Http1Wire
from gateway.transport.http_upstream import HttpUpstream
from gateway.transport.pace import Paces
from gateway.transport.shared_window import SharedWindows
from gateway.transport.tls import tls_context
from gateway.transport.wire import Wire, WireError, WireRequest

_MAX_BYTES_OF_KEYS = 256_000
_SPECS = MappingProxyType({spec.name: spec for spec in SOURCES})


@dataclass(frozen=True, slots=True)
class Connected:
    """A source, what it sends over, and what it was made of: its settings, and the sha256 of the files that they name."""

    source: Source
    wire: Wire
    settings: SourceSettings
    files: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class Gateway:
    """The sources of a configuration, and what has to be closed at the end."""

    sources: SourceSet
    connected: Mapping[str, Connected]

    @property
    def wires(self) -> frozenset[Wire]:
        """What the sources send over."""
        return frozenset(each.wire for each in self.connected.values())

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
    await _adopt(journal, settings)


async def _adopt(journal: Journal, settings: Settings) -> None:
    for key, source in settings.sources.items():
        for former in source.former_keys:
            await journal.adopt(former, key)


def make_writes(journal: Journal, settings: Settings, clock: Clock | None = None, *, metrics: Metrics | None = None) -> Writes:
    """Make what carries out writes over a journal."""
    written = (metrics or Metrics()).writes.add
    return Writes(journal, clock or SystemClock(), settle_after_seconds=settings.journal.settle_after_seconds, written=written)


def make_gateway(
    settings: Settings,
    wire: Wire | None = None,
    clock: Clock | None = None,
    *,
    journal: Journal | None = None,
    paces: Paces | None = None,
    metrics: Metrics | None = None,
    earlier: Gateway | None = None,
) -> Gateway:
    """Make the sources of a configuration; with `wire` all of them send over it. Raises `SettingsError`.

    With `journal` they also show what was written through it and is not shown by the systems themselves. Those of `earlier` go on
    where nothing of theirs has changed; `paces` are those of its token endpoints.
    """
    used_clock = clock or SystemClock()
    used_paces = paces or _paces(settings, used_clock, journal)
    all_made: dict[str, Connected] = {}
    former: dict[str, str] = {}
    for key, source_settings in settings.sources.items():
        if not source_settings.enabled:
            continue
        files = _digests(source_settings)
        made = None if earlier is None else earlier.connected.get(key)
        if made is None or (made.settings, made.files) != (source_settings, files):
            used_wire = wire or Http1Wire(tls=_tls(key, source_settings))
            meter = UpstreamMeter(metrics or Metrics(), key)
            windows = _windows(key, source_settings, files, used_clock, None if settings.is_in_memory else journal)
            source = _make_source(key, source_settings, used_wire, used_clock, used_paces, meter, windows)
            made = Connected(source if journal is None else ShowsSubmitted(source, journal), used_wire, source_settings, files)
        all_made[key] = made
        former.update(dict.fromkeys(source_settings.former_keys, key))
    return Gateway(SourceSet([made.source for made in all_made.values()], former), all_made)


def _paces(settings: Settings, clock: Clock, journal: Journal | None) -> Paces:
    """Make the paces of token endpoints; where replicas are, they have their tokens in common."""
    return Paces(clock, journal.tokens if journal is not None and settings.has_replicas else None)


def _digests(settings: SourceSettings) -> tuple[bytes | None, ...]:
    """Tell the files of a source's TLS from others under the same names; None for one that is not there."""
    return tuple(None if path is None else _digest(path) for path in (settings.ca_file, settings.client_cert, settings.client_key))


def _digest(path: Path) -> bytes | None:
    try:
        return sha256(path.read_bytes()).digest()
    except OSError:  # who uses it says so
        return None


def _windows(
    key: str, settings: SourceSettings, files: tuple[bytes | None, ...], clock: Clock, journal: Journal | None
) -> SharedWindows | None:
    """Make the place where processes over a journal have a source's windows; each configuration its own. None: there are no others."""
    if journal is None:
        return None
    configured = {**settings.model_dump(), "files": [None if digest is None else digest.hex() for digest in files]}
    return SharedWindows(journal.windows, key, json.dumps(configured, default=_revealed, sort_keys=True).encode(), clock)


def _revealed(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _make_source(
    key: str, settings: SourceSettings, wire: Wire, clock: Clock, paces: Paces, meter: UpstreamMeter, windows: SharedWindows | None
) -> Source:
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
    upstream = HttpUpstream(key, settings, wire, clock, paces=paces, meter=meter)
    return spec.build(SourceParts(profile=profile, options=settings.options, upstream=upstream, clock=clock, windows=windows))


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


class _Keys:
    """Fetches the keys of issuers over one wire, made when it is needed: it reads the certificates of all authorities."""

    def __init__(self, wire: Wire | None) -> None:
        self._wire = wire

    def tokens(self, settings: JwtSettings, clock: Clock) -> Tokens:
        """Make what checks the tokens of an issuer."""
        self._wire = self._wire or Http1Wire()
        return Tokens(settings, Keys(settings.jwks_url, settings.algorithms, _keys_over(self._wire), clock), clock)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._wire is not None:
            await self._wire.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lasting:
    """What stays the same however often the configuration is read. `wire` None: each source has its own."""

    wire: Wire | None
    clock: Clock
    journeys: Sequence[Journey]
    journal: Journal
    writes: Writes
    load: Load
    paces: Paces
    shared_rates: SharedRates | None
    keys: _Keys
    numbers: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class _InUse:
    """What one reading of the configuration led to."""

    settings: Settings
    gateway: Gateway
    tokens: Tokens | None
    rates: Rates
    spans: Spans | None
    serving: Serving


def _make(lasting: _Lasting, settings: Settings, earlier: _InUse | None = None) -> _InUse:
    """Make what serves a configuration, from what has not changed since the earlier one, too. Raises `SettingsError`."""
    if settings.is_open and not settings.on_loopback:
        raise SettingsError(f"server.host: {settings.server.host} can be reached from outside, and no [[callers]] are configured")
    clock, before = lasting.clock, None if earlier is None else earlier.gateway
    gateway = make_gateway(
        settings, lasting.wire, clock, journal=lasting.journal, paces=lasting.paces, metrics=lasting.numbers.metrics, earlier=before
    )
    key = settings.server.signing_key
    signer = None if key is None else LinkSigner(key.get_secret_value().encode(), clock)
    schema, rules = build_schema(_federation(settings)), _link_rules(settings)
    explainer = Explainer(schema, max_nodes=settings.limits.max_nodes, link_rules=rules)
    tokens, rates = _tokens(lasting, settings, earlier), make_rates(settings, clock)
    admission = Admission(Authenticator(Callers(settings.callers), tokens), rates, lasting.shared_rates)
    trusted, spans = make_trusted_documents(settings, explainer), _spans(settings, earlier)
    names = frozenset(settings.telemetry.operations).union(_names_in(trusted))
    observer = Observer(lasting.numbers.metrics, clock, names=names, spans=spans)
    graph = Graph(
        executor=Executor(schema, absent=UNREAD, limits=document_limits(settings.limits), counts=lasting.numbers.standing.plans),
        sources=gateway.sources,
        writes=lasting.writes,
        link_rules=rules,
        signer=signer,
        trusted=trusted,
        costs=make_costs(settings, explainer),
    )
    app = make_server(
        GraphqlEndpoint(graph, admission, settings, clock, observer),
        DocumentEndpoint(gateway.sources, settings, clock, signer, admission, observer),
        SourcesPage(gateway.sources, admission, clock, has_explorer=settings.server.explorer),
        MetricsPage(lasting.numbers, gateway.sources, None if settings.telemetry.open_metrics else admission),
        settings.server,
        lasting.journeys,
        lasting.load,
        observer,
    )
    serving = Serving(app, gateway.wires if spans is None else {*gateway.wires, spans.writer})
    return _InUse(settings=settings, gateway=gateway, tokens=tokens, rates=rates, spans=spans, serving=serving)


def _names_in(trusted: TrustedDocuments) -> Iterator[str]:
    for text in trusted.texts:
        document = facts_of(text, None).document
        operations = () if document is None else operations_of(document)
        yield from (operation.name for operation in operations if operation.name is not None)


def _spans(settings: Settings, earlier: _InUse | None) -> Spans | None:
    if earlier is not None and earlier.settings.telemetry == settings.telemetry:
        return earlier.spans
    return make_spans(settings.telemetry)


def _tokens(lasting: _Lasting, settings: Settings, earlier: _InUse | None) -> Tokens | None:
    if earlier is not None and earlier.settings.jwt == settings.jwt:
        return earlier.tokens
    return None if settings.jwt is None else lasting.keys.tokens(settings.jwt, lasting.clock)


class _Root:
    """A gateway, from its start to its end, through all configurations that it is given meanwhile."""

    def __init__(self, lasting: _Lasting, settings: Settings) -> None:
        self._lasting = lasting
        self._in_use = _make(lasting, settings)
        self._cleaning: asyncio.Task[NoReturn] | None = None
        self.app = SwitchingApp(self._in_use.serving, self._lifespan, self._settled)

    @asynccontextmanager
    async def _lifespan(self, _app: SwitchingApp) -> AsyncIterator[None]:
        lasting = self._lasting
        await _open(lasting.journal, self._in_use.settings)
        self._clean()
        telling = asyncio.ensure_future(lasting.numbers.keep_published(lambda: self._in_use.gateway.sources))
        try:
            yield
        finally:
            telling.cancel()
            await lasting.writes.aclose()
            await self._stop_cleaning()
            await lasting.journal.aclose()
            await self.app.aclose()
            await lasting.keys.aclose()
            lasting.numbers.leave()

    async def take(self, settings: Settings) -> list[str]:
        """Put another configuration to use; gives what there is to say. Raises `SettingsError` and `JournalUnavailable`.

        Where it raises, nothing has changed. What takes its time happens in a thread, while all goes on as before.
        """
        before = self._in_use
        settings, lines = with_what_is_fixed(settings, before.settings)
        now = await asyncio.to_thread(_make, self._lasting, settings, before)
        await _adopt(self._lasting.journal, now.settings)
        now.rates.take_over(before.rates)
        self._in_use = now
        self.app.switch_to(now.serving)
        self._use_limits()
        if now.settings.journal != before.settings.journal:
            await self._stop_cleaning()
            self._clean()
        return [*differences(before.settings, now.settings), *lines, *now.settings.notices]

    async def prepare(self, settings: Settings) -> list[str]:
        """As `take`, for a process that serves nobody itself: those that are forked from it begin with the other configuration."""
        before = self._in_use
        settings, lines = with_what_is_fixed(settings, before.settings)
        self._in_use = now = _make(self._lasting, settings, before)
        self.app.begin_with(now.serving)
        self._use_limits()
        return [*differences(before.settings, settings), *lines, *settings.notices]

    def _use_limits(self) -> None:
        settings = self._in_use.settings
        self._lasting.load.allow(settings.limits.max_requests_in_flight)
        self._lasting.writes.settle_after(settings.journal.settle_after_seconds)

    async def _settled(self) -> None:
        """Wait until nothing goes on that was begun before another configuration was used, as its requests have ended."""
        await self._lasting.writes.settled()
        with suppress(JournalUnavailable):  # done at the next start, then
            await _adopt(self._lasting.journal, self._in_use.settings)

    def _clean(self) -> None:
        days = self._in_use.settings.journal
        self._cleaning = asyncio.ensure_future(keep_clean(self._lasting.journal, keep_days=days.keep_days, audit_days=days.audit_days))

    async def _stop_cleaning(self) -> None:
        if self._cleaning is not None:
            self._cleaning.cancel()
            await asyncio.wait([self._cleaning])


def create_app(settings: Settings, wire: Wire | None = None, clock: Clock | None = None, *, journeys: Sequence[Journey] = ()) -> Starlette:
    """Make the application. Raises `SettingsError` when it would be open to others than this machine.

    Its `state` is for the process around it: `load`, to say when it stops, `take` and `prepare`, to give it another configuration, and
    `journal`, to claim before it makes others.
    """
    used_clock = clock or SystemClock()
    journal, metrics = make_journal(settings, used_clock), Metrics()
    load = Load(used_clock, settings.limits.max_requests_in_flight)
    standing = Standing(load, AttemptCounts(journal.open_counts, used_clock), Counts(), used_clock)
    lasting = _Lasting(
        wire=wire,
        clock=used_clock,
        journeys=journeys,
        journal=journal,
        writes=make_writes(journal, settings, used_clock, metrics=metrics),
        load=load,
        paces=_paces(settings, used_clock, journal),
        shared_rates=SharedRates(journal.takings, used_clock) if settings.has_replicas else None,
        keys=_Keys(wire),
        numbers=Numbers(metrics, standing, Processes() if settings.server.workers > 1 else None),
    )
    root = _Root(lasting, settings)
    root.app.state.load, root.app.state.take, root.app.state.prepare = lasting.load, root.take, root.prepare
    root.app.state.journal = lasting.journal
    return root.app
