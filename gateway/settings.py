"""The configuration: read once, validated whole, frozen. Every mistake becomes one line that names file, table and key.

The keys that one system alone has are validated by that system's own model, which the composition root passes in: this module
knows no system.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from gateway.errors import SettingsError

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_SHA256: Final = r"^[0-9a-f]{64}$"
_VISIBLE: Final = re.compile(r"[\x21-\x7e]*")
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?")
SIGNED_IN: Final = "jwt:"
"""How the names of callers begin that `[jwt]` lets in, and no others."""
_IN_MEMORY: Final = "sqlite://"
_TYPE_PREFIX: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class FileSecret(SecretStr):
    """A secret that lies in a file, where another may take its place."""

    def __init__(self, secret: str, path: Path) -> None:
        super().__init__(secret)
        self._path = path

    def read_again(self) -> FileSecret:
        """Give the secret that is in the file now; the one known while the file cannot be read."""
        try:
            return FileSecret(_read_secret_file(self._path), self._path)
        except ValueError:
            return self


def _resolve_secret(value: object, info: ValidationInfo) -> object:
    """Read `env:NAME` and `file:/path`; any other text is the secret itself."""
    if not isinstance(value, str):
        return value
    kind, _, name = value.partition(":")
    if kind == "env":
        environ: Mapping[str, str] = (info.context or {}).get("environ", os.environ)
        if not environ.get(name):
            raise ValueError(f"the environment variable {name} is not set")
        return environ[name]
    if kind == "file":
        path = Path(name)
        return FileSecret(_read_secret_file(path), path)
    return value


def _read_secret_file(path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"the file {path} cannot be read") from None
    if not secret:
        raise ValueError(f"the file {path} is empty")
    return secret


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{value!r} is no IANA time zone") from None
    return value


def _usable_url(value: str) -> str:
    # The address is never repeated in a message: it may have a password in it.
    try:
        parts = urlsplit(value)
        is_whole = bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s\x00-\x1f\x7f]", value)
    except ValueError:
        is_whole = False
    if not is_whole or not _VISIBLE.fullmatch(parts.path + parts.query):
        raise ValueError("must be an address like https://api.example/path, in ASCII after the host")
    if "@" in parts.netloc:
        raise ValueError("user and password belong in auth, not in the address")
    if "#" in value:
        raise ValueError("must be without a #fragment")
    return value


def _sendable(value: SecretStr) -> SecretStr:
    if not _HEADER_VALUE.fullmatch(value.get_secret_value()):
        raise ValueError("cannot be sent in a header: it must be visible ASCII in one line, without spaces around it")
    return value


def read_header_again(secret: FileSecret) -> FileSecret:
    """Give a header's secret that is in its file now; the one known while there is none that can be sent."""
    again = secret.read_again()
    return again if _HEADER_VALUE.fullmatch(again.get_secret_value()) else secret


def _known_state(value: SecretStr) -> SecretStr:
    # As with addresses, the text is never repeated: it may have a password in it.
    scheme, mark, rest = value.get_secret_value().partition("://")
    if not mark or scheme not in {"sqlite", "postgresql"}:
        raise ValueError('must be "sqlite:///file.db" or "postgresql://user@host/database"')
    if scheme == "sqlite" and rest and not (rest.startswith("/") and len(rest) > 1):
        raise ValueError('a file has three slashes, "sqlite:///file.db", or four where the path begins at the root')
    _named(Path(rest))
    return value


def _named(value: Path) -> Path:
    if "\0" in str(value):
        raise ValueError("must not have the character U+0000")
    return value


def _beside_the_file(value: Path, info: ValidationInfo) -> Path:
    folder: Path | None = (info.context or {}).get("folder")
    return value if folder is None else folder / value


Secret = Annotated[SecretStr, BeforeValidator(_resolve_secret)]
State = Annotated[Secret, AfterValidator(_known_state)]
HeaderSecret = Annotated[Secret, AfterValidator(_sendable)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
ClaimName = Annotated[str, Field(min_length=1)]
# Only what is checked with a public key: a secret that issuer and gateway share could be used to sign by both.
JwtAlgorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NoAuth(_Table):
    """Send no credentials."""

    kind: Literal["none"] = "none"


class BasicAuth(_Table):
    """HTTP Basic on every request."""

    kind: Literal["basic"]
    username: str
    password: Secret


class HeaderAuth(_Table):
    """A fixed header on every request."""

    kind: Literal["header"]
    name: HeaderName
    value: HeaderSecret


class BearerAuth(_Table):
    """A fixed bearer token."""

    kind: Literal["bearer"]
    token: HeaderSecret


class PasswordAuth(_Table):
    """A token from user name and password, sent as a form; the field names are configurable."""

    kind: Literal["password"]
    token_path: Annotated[str, Field(pattern=r"^/")] = "/Token"  # noqa: S105  (a path)
    username: str
    password: Secret
    username_field: str = "userName"
    password_field: str = "password"  # noqa: S105  (the name of a form field)
    grant_type: str = "password"
    header_prefix: str = "Bearer"


class ClientCredentialsAuth(_Table):
    """OAuth2 client credentials, sent in the body of the token request."""

    kind: Literal["client_credentials"]
    token_url: Annotated[str, Field(pattern=r"^https?://"), AfterValidator(_usable_url)]
    client_id: str
    client_secret: Secret
    scope: str | None = None


Auth = Annotated[
    NoAuth | BasicAuth | HeaderAuth | BearerAuth | PasswordAuth | ClientCredentialsAuth,
    Field(discriminator="kind"),
]
_AuthTable = TypeVar("_AuthTable", bound=_Table)


def read_again(auth: _AuthTable) -> _AuthTable:
    """Give an `auth` table with the secrets that are in its files now; the table itself while these cannot be used, or are the same."""
    again = {name: value.read_again() for name, value in auth if isinstance(value, FileSecret)}
    if all(getattr(auth, name) == value for name, value in again.items()):
        return auth
    try:
        return type(auth).model_validate(dict(auth) | again)
    except ValidationError:
        return auth


PaymentStatusName = Literal["PAID", "PARTIALLY_PAID", "UNPAID", "UNKNOWN"]
OrderStatusName = Literal["OPEN", "CONFIRMED", "DELIVERED", "INVOICED", "CLOSED", "CANCELLED", "DELETED", "UNKNOWN"]


class SourceSettings(_Table):
    """The keys of `[sources.<key>]` that every system has; `options` holds the system's own."""

    system: str
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$"), AfterValidator(_usable_url)]
    display_name: str | None = None
    enabled: bool = True
    former_keys: tuple[str, ...] = ()
    default_currency: CurrencyCode | None = None
    time_zone: Zone = "Europe/Stockholm"
    auth: Auth = NoAuth()
    headers: Mapping[HeaderName, HeaderSecret] = Field(default_factory=dict)
    timeout_seconds: Seconds = 3
    connect_timeout_seconds: Seconds = 1
    max_in_flight: Annotated[int, Field(ge=1, le=1000)] = 32
    max_queue: Annotated[int, Field(ge=1)] = 64
    retries: Annotated[int, Field(ge=0, le=5)] = 2
    retry_budget_percent: Annotated[int, Field(ge=0, le=100)] = 10
    breaker_calls: Annotated[int, Field(ge=1)] = 20
    breaker_failure_percent: Annotated[int, Field(ge=1, le=100)] = 50
    breaker_open_seconds: Annotated[float, Field(gt=0, le=60)] = 5
    max_answer_bytes: Annotated[int, Field(ge=1024)] = 10_485_760
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    payment_status: Mapping[str, PaymentStatusName] = Field(default_factory=dict)
    order_status: Mapping[str, OrderStatusName] = Field(default_factory=dict)
    currencies: Mapping[str, CurrencyCode] = Field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    options: Any = None

    @field_validator("ca_file", "client_cert", "client_key")
    @classmethod
    def _file_is_there(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value

    @model_validator(mode="after")
    def _key_has_certificate(self) -> SourceSettings:
        if self.client_key is not None and self.client_cert is None:
            raise ValueError("client_key needs client_cert beside it")
        return self


class ServerSettings(_Table):
    """`[server]`."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    state: State = SecretStr("sqlite:///gateway.db")
    signing_key: Secret | None = None
    trusted_documents: Literal["off", "allow", "require"] = "off"
    documents: Annotated[Path, AfterValidator(_named), AfterValidator(_beside_the_file)] | None = None
    """The manifest; a relative path starts at the folder of the configuration file."""
    explorer: bool = False
    introspection: bool = False
    get_queries: bool = False
    cors_origins: tuple[Annotated[str, Field(pattern=r"^https?://[^/\s*]+$")], ...] = ()
    deadline_seconds: Seconds = 10
    mutation_deadline_seconds: Seconds = 30
    unready_seconds: Annotated[float, Field(ge=0, le=3600)] = 0
    """How long `/health/ready` says no before the listener closes."""
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 30
    """How long requests that are in hand have to end."""
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    """How many processes serve at the address."""
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """From "info" on there is a line for each request."""

    @model_validator(mode="after")
    def _trust_has_documents(self) -> ServerSettings:
        if self.trusted_documents != "off" and self.documents is None:
            raise ValueError(f'trusted_documents = "{self.trusted_documents}" needs documents beside it')
        return self


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _no_name_of_the_signed_in(value: str) -> str:
    # The journal keeps attempts by the caller's name: whoever signs in must never meet those of a script.
    if value.startswith(SIGNED_IN):
        raise ValueError(f"names that begin with {SIGNED_IN} are those of signed-in callers")
    return value


class CallerSettings(_Table):
    """`[[callers]]`: who may call with which key."""

    name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_no_name_of_the_signed_in)]
    key_sha256: Annotated[tuple[Annotated[str, Field(pattern=_SHA256)], ...], BeforeValidator(_as_tuple), Field(min_length=1)]
    permissions: tuple[Literal["read", "write", "raw", "explorer", "audit", "metrics"], ...]
    sources: tuple[str, ...]
    requests_per_minute: Annotated[int, Field(ge=1)] = 600
    max_in_flight: Annotated[int, Field(ge=1)] = 32


def _private_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ValueError("must be https: whoever can change the keys on their way can sign in as anybody")
    return value


def _name_of_issuer(value: str) -> str:
    if not value or not _VISIBLE.fullmatch(value) or "#" in value:
        raise ValueError("must be visible ASCII without #, as the tokens have it")
    return value


class JwtSettings(_Table):
    """`[jwt]`: callers that signed in elsewhere and bring a signed token."""

    issuer: Annotated[str, Field(max_length=255), AfterValidator(_name_of_issuer)]
    """Without `#`, which parts it from the subject in the caller's name."""
    audience: Annotated[str, Field(min_length=1)]
    jwks_url: Annotated[str, Field(pattern=r"^https?://"), AfterValidator(_usable_url), AfterValidator(_private_address)]
    permissions_claim: ClaimName = "permissions"
    sources_claim: ClaimName = "sources"
    subject_claim: ClaimName = "sub"
    algorithms: Annotated[tuple[JwtAlgorithm, ...], Field(min_length=1)] = ("RS256",)
    leeway_seconds: Annotated[float, Field(ge=0, le=300)] = 30
    """How far the clocks of issuer and gateway may be apart."""
    requests_per_minute: Annotated[int, Field(ge=1)] = 600
    """Of each signed-in caller; so below."""
    max_in_flight: Annotated[int, Field(ge=1)] = 32


class LimitSettings(_Table):
    """`[limits]`."""

    max_body_bytes: Annotated[int, Field(ge=1024)] = 1_000_000
    max_document_characters: Annotated[int, Field(ge=1)] = 15_000
    max_tokens: Annotated[int, Field(ge=1)] = 2_000
    max_depth: Annotated[int, Field(ge=1)] = 12
    max_aliases: Annotated[int, Field(ge=0)] = 30
    max_root_fields: Annotated[int, Field(ge=1)] = 20
    max_directives: Annotated[int, Field(ge=0)] = 50
    max_fields: Annotated[int, Field(ge=1)] = 2_000
    max_overlaps: Annotated[int, Field(ge=0)] = 5_000
    max_cost: Annotated[int, Field(ge=1)] = 5_000
    max_upstream_calls: Annotated[int, Field(ge=1)] = 2_500
    max_nodes: Annotated[int, Field(ge=1, le=10_000)] = 200
    max_requests_in_flight: Annotated[int, Field(ge=1)] = 512


class JournalSettings(_Table):
    """`[journal]`."""

    keep_days: Annotated[int, Field(ge=1)] = 30
    settle_after_seconds: Annotated[float, Field(gt=0, le=86_400)] = 120
    audit_days: Annotated[int, Field(ge=1)] = 2600

    @model_validator(mode="after")
    def _trail_outlives_bodies(self) -> JournalSettings:
        if self.audit_days < self.keep_days:
            raise ValueError("audit_days must not be less than keep_days")
        return self


class LinkSettings(_Table):
    """`[links]`."""

    rules: tuple[Literal["organization_number", "customer_number", "email"], ...] = ()
    file: Annotated[Path, AfterValidator(_named)] | None = None


def check_type_prefix(value: str) -> str:
    """Give what the names of types may begin with. Raises `ValueError` for anything else."""
    if value and not _TYPE_PREFIX.fullmatch(value):
        raise ValueError("must begin with a letter and have letters, digits and _ only, at most 40")
    return value


class FederationSettings(_Table):
    """`[federation]`: the graph as a part of a supergraph."""

    enabled: bool = False
    prefix: Annotated[str, AfterValidator(check_type_prefix)] = ""
    """Begins the names of all types but the roots."""


class TelemetrySettings(_Table):
    """`[telemetry]`: what operators are told."""

    open_metrics: bool = False
    """`/metrics` for anybody; else for callers with the permission."""
    operations: tuple[Annotated[str, Field(pattern=r"^[_A-Za-z][_0-9A-Za-z]*$", max_length=100)], ...] = ()
    """Told by their name, beside those of trusted documents."""
    traces_url: Annotated[str, Field(pattern=r"^https?://"), AfterValidator(_usable_url)] | None = None
    """Of a collector, for OTLP over HTTP; None: there are no traces."""
    traces_headers: Mapping[HeaderName, HeaderSecret] = Field(default_factory=dict)
    traces_percent: Annotated[float, Field(ge=0, le=100)] = 100
    """Of the requests that belong to no trace yet."""
    traces_service: Annotated[str, Field(min_length=1, max_length=100)] = "invoice-gateway"
    traces_upstream: bool = True
    """Whether upstreams are told, by `traceparent`, which trace a call belongs to."""


class Settings(_Table):
    """The whole configuration."""

    server: ServerSettings = ServerSettings()
    callers: tuple[CallerSettings, ...] = ()
    jwt: JwtSettings | None = None
    limits: LimitSettings = LimitSettings()
    journal: JournalSettings = JournalSettings()
    links: LinkSettings = LinkSettings()
    federation: FederationSettings = FederationSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    sources: Mapping[str, SourceSettings]
    notices: tuple[str, ...] = ()
    """What the operator should know of keys that are set: said at start, one line each."""

    @property
    def is_open(self) -> bool:
        """Say whether anybody may call: neither keys nor sign-in are configured, so only loopback may be served."""
        return not self.callers and self.jwt is None

    @property
    def is_in_memory(self) -> bool:
        """Say whether the journal is kept by one process alone, and forgotten with it."""
        return self.server.state.get_secret_value() == _IN_MEMORY

    @property
    def has_replicas(self) -> bool:
        """Say whether other processes serve callers over the same journal, as far as is known here."""
        return self.server.workers > 1 or not self.server.state.get_secret_value().startswith("sqlite:")

    @property
    def on_loopback(self) -> bool:
        """Say whether the gateway listens on this machine only."""
        return self.server.host in _LOOPBACK


def load_settings(path: Path, options: Mapping[str, type[BaseModel]], environ: Mapping[str, str] | None = None) -> Settings:
    """Read a TOML file; `options` has each system's own model by its name. Raises `SettingsError` with a line a mistake."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
    except (ValueError, RecursionError):  # which the parser lets pass
        raise SettingsError(f"{path}: not TOML: a number has too many digits, or a value is nested too deep") from None
    return parse_settings(data, options, environ, name=path.name, folder=path.parent)


def parse_settings(
    data: Mapping[str, Any],
    options: Mapping[str, type[BaseModel]],
    environ: Mapping[str, str] | None = None,
    *,
    name: str = "configuration",
    folder: Path | None = None,
) -> Settings:
    """Validate a configuration that was read already; see `load_settings`. `folder`: where its file lies; None: it is no file."""
    context = {"environ": os.environ if environ is None else environ, "folder": folder}
    mistakes: list[str] = []
    if "notices" in data:
        mistakes.append(f"{name}: notices: unknown key")  # a field of the result, not of the file
    top = {key: value for key, value in data.items() if key != "sources"}
    top["sources"] = _sources(data.get("sources"), options, context, name, mistakes)
    settings: Settings | None = None
    try:
        settings = Settings.model_validate({**top, "notices": tuple(_notices(data))}, context=context)
    except ValidationError as error:
        mistakes.extend(_lines(error, name))
    if settings is not None:
        mistakes.extend(f"{name}: {line}" for line in _contradictions(settings, _keys(data.get("sources"))))
    if mistakes or settings is None:
        raise SettingsError(*mistakes)
    return settings


def _sources(
    tables: object, options: Mapping[str, type[BaseModel]], context: dict[str, Any], name: str, mistakes: list[str]
) -> dict[str, SourceSettings]:
    if not isinstance(tables, dict) or not tables:
        mistakes.append(f"{name}: sources: at least one [sources.<key>] table is needed")
        return {}
    found = {key: _source(key, table, options, context, name, mistakes) for key, table in tables.items()}
    return {key: source for key, source in found.items() if source is not None}


def _source(
    key: str, table: object, options: Mapping[str, type[BaseModel]], context: dict[str, Any], name: str, mistakes: list[str]
) -> SourceSettings | None:
    where = f"{name}: sources.{key}"
    if not _KEY.fullmatch(key):
        mistakes.append(f"{where}: a key has letters, digits, `_` and `-`, at most 63")
        return None
    if not isinstance(table, dict):
        mistakes.append(f"{where}: this must be a table")
        return None
    model = options.get(str(table.get("system")))
    if model is None:
        mistakes.append(f"{where}.system: must be one of {', '.join(sorted(options))}")
        return None
    common = {field: value for field, value in table.items() if field in SourceSettings.model_fields and field != "options"}
    own = {field: value for field, value in table.items() if field not in common}
    before = len(mistakes)
    system_options = _validated(model, own, context, where, mistakes)
    source = _validated(SourceSettings, {**common, "options": system_options}, context, where, mistakes)
    return source if len(mistakes) == before else None


def _validated(model: type[BaseModel], data: Mapping[str, Any], context: dict[str, Any], where: str, mistakes: list[str]) -> Any:  # noqa: ANN401  (an instance of `model`)
    try:
        return model.model_validate(data, context=context)
    except ValidationError as error:
        mistakes.extend(_lines(error, where, separator="."))
        return None


def _lines(error: ValidationError, where: str, separator: str = ": ") -> Iterable[str]:
    for mistake in error.errors(include_url=False, include_input=False, include_context=False):
        path = ".".join(_written(mistake["loc"]))
        message = "unknown key" if mistake["type"] == "extra_forbidden" else mistake["msg"].removeprefix("Value error, ")
        yield f"{where}{separator}{path}: {message}" if path else f"{where}: {message}"


def _written(location: tuple[int | str, ...]) -> Iterable[str]:
    # pydantic's paths also have the kind of `auth` and a mark for "the key itself"; the operator wrote neither there.
    for position, part in enumerate(location):
        if part != "[key]" and not (position == 1 and location[0] == "auth"):
            yield str(part)


def _keys(tables: object) -> frozenset[str]:
    return frozenset(tables) if isinstance(tables, dict) else frozenset()


def _contradictions(settings: Settings, keys: frozenset[str]) -> Iterable[str]:
    yield from _contradictions_of_callers(settings, keys)
    taken = set(keys)
    for key, source in settings.sources.items():
        for former in source.former_keys:
            if former in taken:
                yield f"sources.{key}.former_keys: {former!r} is the key of a source already"
            taken.add(former)
        yield from (f"sources.{key}{line}" for line in _contradictions_of_times(source, settings.server))


def _contradictions_of_callers(settings: Settings, keys: frozenset[str]) -> Iterable[str]:
    names = [caller.name for caller in settings.callers]
    keys_of_callers = [frozenset(caller.key_sha256) for caller in settings.callers]
    for index, caller in enumerate(settings.callers):
        for source in caller.sources:
            if source != "*" and source not in keys:
                yield f"callers.{index}.sources: there is no source {source!r}"
        if caller.name in names[:index]:
            yield f"callers.{index}.name: {caller.name!r} is there twice"
        if any(not digests.isdisjoint(caller.key_sha256) for digests in keys_of_callers[:index]):
            yield f"callers.{index}.key_sha256: another caller has the same key"


def _contradictions_of_times(source: SourceSettings, server: ServerSettings) -> Iterable[str]:
    attempts, timeout, deadline = 1 + source.retries, source.timeout_seconds, server.deadline_seconds
    pauses = sum(min(2.0, 0.05 * 2**done) for done in range(source.retries))  # as gateway.transport.retry makes them
    longest = round(attempts * timeout + pauses, 6)
    if longest > deadline:
        tried = f"{attempts} attempts (1 + retries) of timeout_seconds ({timeout:g})"
        yield f": {tried} and {pauses:g} s of pauses are {longest:g} s, more than server.deadline_seconds ({deadline:g})"
    if source.connect_timeout_seconds > timeout:
        yield f".connect_timeout_seconds: {source.connect_timeout_seconds:g} s is more than timeout_seconds ({timeout:g})"
    if timeout > server.mutation_deadline_seconds:
        yield f".timeout_seconds: {timeout:g} s is more than server.mutation_deadline_seconds ({server.mutation_deadline_seconds:g})"


def _notices(data: Mapping[str, Any]) -> Iterable[str]:
    server, federation = (data[name] if isinstance(data.get(name), dict) else {} for name in ("server", "federation"))
    if federation.get("prefix") and not federation.get("enabled"):
        yield "federation.prefix: not used while enabled is false"
    if federation.get("enabled") and server.get("trusted_documents") == "require":
        yield 'server.trusted_documents: "require" refuses the documents that a router makes, unless the manifest has them'
    if server.get("state") == _IN_MEMORY:
        yield "server.state: in memory; which keys were used is forgotten at exit, and a write repeated after it is sent again"
        for key, source in _tables(data.get("sources")):
            if source.get("share_windows"):
                yield f"sources.{key}.share_windows: not used while server.state is in memory, which no other process has in common"
    if "documents" in server and server.get("trusted_documents", "off") == "off":
        yield 'server.documents: not used while trusted_documents is "off"'


def _tables(tables: object) -> Iterable[tuple[str, Mapping[str, Any]]]:
    return [(key, table) for key, table in tables.items() if isinstance(table, dict)] if isinstance(tables, dict) else []
