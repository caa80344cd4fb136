from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from gateway.app import read_settings
from gateway.errors import SettingsError
from gateway.settings import BasicAuth, BearerAuth, NoAuth, ServerSettings, Settings, load_settings, parse_settings
from gateway.sources.compilator.settings import CompilatorOptions
from gateway.sources.nimpos.settings import NimposOptions
from gateway.sources.norce.settings import NorceOptions
from gateway.sources.shopctrl.settings import ShopctrlOptions
from gateway.transport.retry import longest


class ToyOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    till: int = 0
    since: date = date(2020, 1, 1)


class BareOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


OPTIONS: Mapping[str, type[BaseModel]] = {"toy": ToyOptions, "bare": BareOptions}
SOURCE = """
[sources.shop]
system = "toy"
base_url = "https://api.example/v1"
"""
NOT_FOR_A_HEADER = "cannot be sent in a header: it must be visible ASCII in one line, without spaces around it"
DIGEST = "ab" * 32
OTHER_DIGEST = "cd" * 32


def read(text: str, environ: Mapping[str, str] | None = None) -> Settings:
    return parse_settings(tomllib.loads(text), OPTIONS, environ or {}, name="gateway.toml")


def mistakes(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """Give the lines of the error, in any order as they come."""
    with pytest.raises(SettingsError) as caught:
        read(text, environ)
    assert str(caught.value) == "\n".join(caught.value.lines)
    return list(caught.value.lines)


def caller(name: str = "job", **rows: str) -> str:
    lines = {"key_sha256": f'"{DIGEST}"', "permissions": '["read"]', "sources": '["shop"]', **rows}
    return "\n".join(["[[callers]]", f'name = "{name}"', *(f"{key} = {value}" for key, value in lines.items() if value), ""])


# What is read


def test_a_source_alone_is_a_configuration_open_on_loopback() -> None:
    settings = read(SOURCE)
    assert (settings.is_open, settings.on_loopback, settings.notices) == (True, True, ())
    assert settings.server == ServerSettings()
    assert (settings.server.host, settings.server.port, settings.server.deadline_seconds) == ("127.0.0.1", 8000, 10)
    shop = settings.sources["shop"]
    assert (shop.system, shop.base_url, shop.enabled, shop.auth) == ("toy", "https://api.example/v1", True, NoAuth())
    assert (shop.timeout_seconds, shop.connect_timeout_seconds, shop.max_in_flight, shop.max_answer_bytes) == (3, 1, 32, 10_485_760)
    assert (shop.max_queue, shop.retries, shop.retry_budget_percent) == (64, 2, 10)
    assert (shop.breaker_calls, shop.breaker_failure_percent, shop.breaker_open_seconds) == (20, 50, 5)
    assert (settings.server.mutation_deadline_seconds, settings.server.unready_seconds, settings.server.drain_seconds) == (30, 0, 30)
    assert settings.limits.max_requests_in_flight == 512
    assert shop.options == ToyOptions()


def test_keys_of_one_system_are_read_by_its_own_model() -> None:
    settings = read(SOURCE + 'till = 7\nsince = 2024-02-29\n\n[sources.other]\nsystem = "bare"\nbase_url = "http://10.0.0.1:8080"\n')
    assert settings.sources["shop"].options == ToyOptions(till=7, since=date(2024, 2, 29))
    assert settings.sources["other"].options == BareOptions()


@pytest.mark.parametrize(
    ("host", "on_loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("10.1.2.3", False)],  # noqa: S104  (no socket is opened)
)
def test_only_an_address_of_this_machine_is_loopback(host: str, *, on_loopback: bool) -> None:
    assert read(f'[server]\nhost = "{host}"\n{SOURCE}').on_loopback is on_loopback


def test_a_caller_closes_the_gateway_and_may_have_one_key_or_several() -> None:
    settings = read(SOURCE + caller("one") + caller("two", key_sha256=f'["{OTHER_DIGEST}", "{"ef" * 32}"]'))
    assert settings.is_open is False
    assert [(one.name, one.key_sha256) for one in settings.callers] == [("one", (DIGEST,)), ("two", (OTHER_DIGEST, "ef" * 32))]


def test_codes_of_an_installation_are_read_as_tables_below_their_source() -> None:
    text = '[sources.shop.payment_status]\n41 = "PARTIALLY_PAID"\n[sources.shop.labels.Terms]\n3 = "30 dagar netto"\n'
    shop = read(SOURCE + text).sources["shop"]
    assert (shop.payment_status, shop.labels) == ({"41": "PARTIALLY_PAID"}, {"Terms": {"3": "30 dagar netto"}})


def test_settings_cannot_be_changed() -> None:
    settings = read(SOURCE)
    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1


@pytest.mark.parametrize(
    "url", ["http://localhost:8100/nimpos", "https://xn--frp-ula.example", "https://fåre.example/a", "https://[::1]:8080/a/"]
)
def test_an_address_may_have_any_host_and_port(url: str) -> None:
    assert read(SOURCE.replace("https://api.example/v1", url)).sources["shop"].base_url == url


# Secrets


def test_a_secret_comes_from_the_environment_from_a_file_or_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file\r\n", encoding="utf-8")
    text = f"""{SOURCE}
headers = {{ "X-A" = "env:NAME", "X-B" = "file:{tmp_path}/key", "X-C" = "as it is", "X-D" = "environment:x" }}
"""
    headers = read(text, {"NAME": "from the environment"}).sources["shop"].headers
    assert {name: value.get_secret_value() for name, value in headers.items()} == {
        "X-A": "from the environment",
        "X-B": "from the file",
        "X-C": "as it is",
        "X-D": "environment:x",
    }


def test_only_the_environment_that_was_given_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_TEST_NAME", "from the process")
    text = SOURCE + 'auth = { kind = "bearer", token = "env:GATEWAY_TEST_NAME" }\n'
    assert mistakes(text) == ["gateway.toml: sources.shop.auth.token: the environment variable GATEWAY_TEST_NAME is not set"]
    auth = parse_settings(tomllib.loads(text), OPTIONS).sources["shop"].auth
    assert isinstance(auth, BearerAuth)
    assert auth.token.get_secret_value() == "from the process"


def test_a_password_may_be_anything_in_one_line() -> None:
    auth = read(SOURCE + 'auth = { kind = "basic", username = "ü", password = " ß: " }\n').sources["shop"].auth
    assert isinstance(auth, BasicAuth)
    assert auth.password.get_secret_value() == " ß: "


AUTHS = [
    'kind = "basic", username = "u", password = "hush1"',
    'kind = "header", name = "X-Key", value = "hush1"',
    'kind = "bearer", token = "hush1"',
    'kind = "password", username = "u", password = "hush1"',
    'kind = "client_credentials", token_url = "https://id.example/t", client_id = "i", client_secret = "hush1"',
]


@pytest.mark.parametrize("auth", AUTHS)
def test_no_secret_is_in_what_settings_say_of_themselves(auth: str) -> None:
    text = f'[server]\nsigning_key = "env:SIGN"\n{SOURCE}auth = {{ {auth} }}\nheaders = {{ "X-T" = "hush2" }}\n'
    settings = read(text, {"SIGN": "hush3"})
    said = f"{settings!r} {settings} {settings.sources['shop']!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert "hush" not in said


@pytest.mark.parametrize("auth", AUTHS)
def test_no_secret_is_in_the_mistakes_of_its_table(auth: str) -> None:
    text = f'{SOURCE}auth = {{ {auth}, spare = "hush2" }}\nheaders = {{ "X-T" = "hush3\\n" }}\nport = "hush4"\n'
    assert mistakes(text) == [
        "gateway.toml: sources.shop.port: unknown key",
        "gateway.toml: sources.shop.auth.spare: unknown key",
        f"gateway.toml: sources.shop.headers.X-T: {NOT_FOR_A_HEADER}",
    ]


def test_no_secret_is_in_the_error_of_a_file_that_is_not_toml(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text("[server]\nsigning_key = hush\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, OPTIONS, {})
    assert caught.value.lines == (f"{path}: not TOML: Invalid value (at line 2, column 15)",)


def test_no_password_of_an_address_is_in_its_mistake() -> None:
    text = SOURCE.replace("https://", "https://user:hush@")
    assert mistakes(text) == ["gateway.toml: sources.shop.base_url: user and password belong in auth, not in the address"]


# Mistakes, one line each


URL_SHAPE = "must be an address like https://api.example/path, in ASCII after the host"
URL_PATTERN = r"String should match pattern '^https?://[^\s?#]+$'"
MISTAKES_OF_A_SOURCE: list[tuple[str, str]] = [
    ("spare = 1", "spare: unknown key"),
    ("options = 1", "options: unknown key"),
    ('till = "x"', "till: Input should be a valid integer, unable to parse string as an integer"),
    ("since = 1.5", "since: Datetimes provided to dates should have zero time - e.g. be exact dates"),
    ('max_in_flight = "many"', "max_in_flight: Input should be a valid integer, unable to parse string as an integer"),
    ("max_in_flight = 0", "max_in_flight: Input should be greater than or equal to 1"),
    ("max_in_flight = 1001", "max_in_flight: Input should be less than or equal to 1000"),
    ("timeout_seconds = 0", "timeout_seconds: Input should be greater than 0"),
    ("timeout_seconds = 3601", "timeout_seconds: Input should be less than or equal to 3600"),
    ("timeout_seconds = nan", "timeout_seconds: Input should be less than or equal to 3600"),
    ("connect_timeout_seconds = -1", "connect_timeout_seconds: Input should be greater than 0"),
    ("max_queue = 0", "max_queue: Input should be greater than or equal to 1"),
    ("retries = -1", "retries: Input should be greater than or equal to 0"),
    ("retries = 6", "retries: Input should be less than or equal to 5"),
    ("retry_budget_percent = -1", "retry_budget_percent: Input should be greater than or equal to 0"),
    ("retry_budget_percent = 101", "retry_budget_percent: Input should be less than or equal to 100"),
    ("breaker_calls = 0", "breaker_calls: Input should be greater than or equal to 1"),
    ("breaker_failure_percent = 0", "breaker_failure_percent: Input should be greater than or equal to 1"),
    ("breaker_failure_percent = 101", "breaker_failure_percent: Input should be less than or equal to 100"),
    ("breaker_open_seconds = 0", "breaker_open_seconds: Input should be greater than 0"),
    ("breaker_open_seconds = 61", "breaker_open_seconds: Input should be less than or equal to 60"),
    ("breaker_open_seconds = nan", "breaker_open_seconds: Input should be less than or equal to 60"),
    ("max_answer_bytes = 1", "max_answer_bytes: Input should be greater than or equal to 1024"),
    ("display_name = 1", "display_name: Input should be a valid string"),
    ('enabled = "perhaps"', "enabled: Input should be a valid boolean, unable to interpret input"),
    ('time_zone = "Europe/Stokholm"', "time_zone: 'Europe/Stokholm' is no IANA time zone"),
    ('time_zone = ""', "time_zone: '' is no IANA time zone"),
    ('time_zone = "../etc/passwd"', "time_zone: '../etc/passwd' is no IANA time zone"),
    ('time_zone = "Europe"', "time_zone: 'Europe' is no IANA time zone"),
    ('default_currency = "kr"', "default_currency: String should match pattern '^[A-Z]{3}$'"),
    ('former_keys = "old"', "former_keys: Input should be a valid tuple"),
    ('former_keys = ["shop"]', "former_keys: 'shop' is the key of a source already"),
    ('ca_file = "/no/such/file"', "ca_file: there is no file /no/such/file"),
    ('client_cert = "/no/such/file"', "client_cert: there is no file /no/such/file"),
    ('auth = "basic"', "auth: Input should be a valid dictionary or object to extract fields from"),
    ("auth = {}", "auth: Unable to extract tag using discriminator 'kind'"),
    ('auth = { kind = "basic", username = "u" }', "auth.password: Field required"),
    ('auth = { kind = "basic", username = 1, password = "p" }', "auth.username: Input should be a valid string"),
    ('auth = { kind = "bearer", token = 1 }', "auth.token: Input should be a valid string"),
    ('auth = { kind = "bearer", token = "env:NAME" }', "auth.token: the environment variable NAME is not set"),
    ('auth = { kind = "bearer", token = "env:EMPTY" }', "auth.token: the environment variable EMPTY is not set"),
    ('auth = { kind = "bearer", token = "file:/no/such/file" }', "auth.token: the file /no/such/file cannot be read"),
    (
        'auth = { kind = "password", username = "u", password = "p", token_path = "Token" }',
        "auth.token_path: String should match pattern '^/'",
    ),
    ('auth = { kind = "header", name = "X Key", value = "v" }', "auth.name: String should match pattern '^[!#$%&'*+.^_`|~0-9A-Za-z-]+$'"),
    (
        'auth = { kind = "client_credentials", token_url = "id.example/t", client_id = "i", client_secret = "s" }',
        "auth.token_url: String should match pattern '^https?://'",
    ),
    (
        'auth = { kind = "client_credentials", token_url = "https://id.example/t#a", client_id = "i", client_secret = "s" }',
        "auth.token_url: must be without a #fragment",
    ),
    ('headers = { "X Key" = "v" }', "headers.X Key: String should match pattern '^[!#$%&'*+.^_`|~0-9A-Za-z-]+$'"),
    ('payment_status = { 41 = "SETTLED" }', "payment_status.41: Input should be 'PAID', 'PARTIALLY_PAID', 'UNPAID' or 'UNKNOWN'"),
    ('payment_status = { basic = "x" }', "payment_status.basic: Input should be 'PAID', 'PARTIALLY_PAID', 'UNPAID' or 'UNKNOWN'"),
    ('currencies = { 3 = "kr" }', "currencies.3: String should match pattern '^[A-Z]{3}$'"),
    ('labels = { Terms = "30" }', "labels.Terms: Input should be a valid dictionary"),
]


@pytest.mark.parametrize(("row", "line"), MISTAKES_OF_A_SOURCE, ids=[row for row, _ in MISTAKES_OF_A_SOURCE])
def test_a_mistake_in_a_source_names_file_table_and_key(row: str, line: str) -> None:
    assert mistakes(f"{SOURCE}{row}\n", {"EMPTY": ""}) == [f"gateway.toml: sources.shop.{line}"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", URL_PATTERN),
        ("api.example", URL_PATTERN),
        ("ftp://api.example", URL_PATTERN),
        ("https://", URL_PATTERN),
        ("https:///path", URL_SHAPE),
        ("https://[::1", URL_SHAPE),
        ("https://api.example:x", URL_SHAPE),
        ("https://api.example:0", URL_SHAPE),
        ("https://api.example:65536", URL_SHAPE),
        ("https://api.example/a b", URL_PATTERN),
        (" https://api.example", URL_PATTERN),
        ("https://api.example\\n", URL_PATTERN),
        ("https://api.example/å", URL_SHAPE),
        ("https://u@api.example", "user and password belong in auth, not in the address"),
        ("https://api.example/#top", URL_PATTERN),
        ("https://api.example/?a=b", URL_PATTERN),
    ],
)
def test_an_address_that_cannot_be_called_is_a_mistake(url: str, why: str) -> None:
    assert mistakes(SOURCE.replace("https://api.example/v1", url)) == [f"gateway.toml: sources.shop.base_url: {why}"]


@given(st.text(max_size=30) | st.from_regex(r"https?://[\w.:@\[\]-]{0,20}(/.{0,10})?", fullmatch=True))
def test_any_text_as_an_address_is_either_taken_as_it_is_or_one_line(url: str) -> None:
    data = {"sources": {"shop": {"system": "bare", "base_url": url}}}
    try:
        settings = parse_settings(data, OPTIONS, {})
    except SettingsError as error:
        assert len(error.lines) == 1  # noqa: PT017  (either is right)
        assert error.lines[0].startswith("configuration: sources.shop.base_url: ")  # noqa: PT017  (as above)
    else:
        assert settings.sources["shop"].base_url == url


def test_a_missing_address_is_a_mistake() -> None:
    assert mistakes('[sources.shop]\nsystem = "toy"\n') == ["gateway.toml: sources.shop.base_url: Field required"]


def test_a_secret_file_that_is_empty_or_no_text_is_a_mistake(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_bytes(b"\n")
    binary.write_bytes(b"\xff\xfe")
    text = f'{SOURCE}headers = {{ "X-A" = "file:{empty}", "X-B" = "file:{binary}", "X-C" = "file:{tmp_path}" }}\n'
    assert mistakes(text) == [
        f"gateway.toml: sources.shop.headers.X-A: the file {empty} is empty",
        f"gateway.toml: sources.shop.headers.X-B: the file {binary} cannot be read",
        f"gateway.toml: sources.shop.headers.X-C: the file {tmp_path} cannot be read",
    ]


@pytest.mark.parametrize("secret", ["a\\nb", "a\\r\\nX-Admin: 1", " a", "a ", "", "nyckelå", "€"])
@pytest.mark.parametrize(
    ("row", "key"),
    [
        ('auth = {{ kind = "bearer", token = "{}" }}', "auth.token"),
        ('auth = {{ kind = "header", name = "X-Key", value = "{}" }}', "auth.value"),
        ('headers = {{ "X-Key" = "{}" }}', "headers.X-Key"),
    ],
)
def test_a_secret_that_cannot_go_into_a_header_is_a_mistake(row: str, key: str, secret: str) -> None:
    assert mistakes(f"{SOURCE}{row.format(secret)}\n") == [f"gateway.toml: sources.shop.{key}: {NOT_FOR_A_HEADER}"]


def test_a_client_key_without_its_certificate_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    assert mistakes(f'{SOURCE}client_key = "{tmp_path}/key"\n') == ["gateway.toml: sources.shop: client_key needs client_cert beside it"]


@pytest.mark.parametrize("system", ['system = "fax"', "system = 1", 'system = ["toy"]', ""])
def test_an_unknown_system_is_a_mistake_that_names_those_there_are(system: str) -> None:
    text = f'[sources.shop]\n{system}\nbase_url = "https://api.example"\n'
    assert mistakes(text) == ["gateway.toml: sources.shop.system: must be one of bare, toy"]


@pytest.mark.parametrize("text", ["", "sources = 1", "sources = {}", "[[sources]]\nsystem = 'toy'"])
def test_no_source_at_all_is_a_mistake(text: str) -> None:
    assert mistakes(text) == ["gateway.toml: sources: at least one [sources.<key>] table is needed"]


@pytest.mark.parametrize("key", ["a b", "_a", "å", "a.b", "", "a" * 64])
def test_a_key_that_cannot_be_part_of_an_id_is_a_mistake(key: str) -> None:
    text = SOURCE + f'[sources."{key}"]\nsystem = "toy"\nbase_url = "https://api.example"\n'
    assert mistakes(text) == [f"gateway.toml: sources.{key}: a key has letters, digits, `_` and `-`, at most 63"]


def test_a_source_that_is_no_table_is_a_mistake() -> None:
    assert mistakes("[sources]\nshop = 1\n") == ["gateway.toml: sources.shop: this must be a table"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("spare = 1", "spare: unknown key"),
        ('notices = ["x"]', "notices: unknown key"),
        ("federation = true", "federation: Input should be a valid dictionary or instance of FederationSettings"),
        ("[federation]\nspare = 1", "federation.spare: unknown key"),
        ("[federation]\nenabled = 2", "federation.enabled: Input should be a valid boolean, unable to interpret input"),
        *(
            (
                f"[federation]\nprefix = '{prefix}'",
                "federation.prefix: must begin with a letter and have letters, digits and _ only, at most 40",
            )
            for prefix in ("_A", "1A", "A-", "Å", "A ", "A" * 41)
        ),
        ("server = 1", "server: Input should be a valid dictionary or instance of ServerSettings"),
        ("callers = 1", "callers: Input should be a valid tuple"),
        ("[server]\nspare = 1", "server.spare: unknown key"),
        ("[server]\nport = 65536", "server.port: Input should be less than or equal to 65535"),
        ('[server]\nport = "http"', "server.port: Input should be a valid integer, unable to parse string as an integer"),
        ('[server]\nsigning_key = "env:NAME"', "server.signing_key: the environment variable NAME is not set"),
        ('[server]\ncors_origins = ["*"]', "server.cors_origins.0: String should match pattern '^https?://[^/\\s*]+$'"),
        ("[server]\ndeadline_seconds = 0", "server.deadline_seconds: Input should be greater than 0"),
        ("[server]\ndrain_seconds = -1", "server.drain_seconds: Input should be greater than or equal to 0"),
        ("[server]\ndrain_seconds = 3601", "server.drain_seconds: Input should be less than or equal to 3600"),
        ("[server]\nunready_seconds = -1", "server.unready_seconds: Input should be greater than or equal to 0"),
        ("[server]\nunready_seconds = 3601", "server.unready_seconds: Input should be less than or equal to 3600"),
        ("[limits]\nmax_requests_in_flight = 0", "limits.max_requests_in_flight: Input should be greater than or equal to 1"),
        ("[limits]\nmax_bodybytes = 1", "limits.max_bodybytes: unknown key"),
        ("[limits]\nmax_nodes = 0", "limits.max_nodes: Input should be greater than or equal to 1"),
        ('[links]\nrules = ["name"]', "links.rules.0: Input should be 'organization_number', 'customer_number' or 'email'"),
        ("[journal]\nkeep_days = 1.5", "journal.keep_days: Input should be a valid integer, got a number with a fractional part"),
    ],
)
def test_a_mistake_in_another_table_names_file_table_and_key(text: str, line: str) -> None:
    assert mistakes(f"{text}\n{SOURCE}") == [f"gateway.toml: {line}"]


DIGEST_SHAPE = "String should match pattern '^[0-9a-f]{64}$'"


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ({"key_sha256": '"abc"'}, f"key_sha256.0: {DIGEST_SHAPE}"),
        ({"key_sha256": f'["{DIGEST}", "x{DIGEST}"]'}, f"key_sha256.1: {DIGEST_SHAPE}"),
        ({"key_sha256": f'"{DIGEST.upper()}"'}, f"key_sha256.0: {DIGEST_SHAPE}"),
        ({"key_sha256": "[]"}, "key_sha256: Value should have at least 1 item after validation, not 0"),
        ({"key_sha256": ""}, "key_sha256: Field required"),
        ({"permissions": '["delete"]'}, "permissions.0: Input should be 'read', 'write', 'raw', 'explorer', 'audit' or 'metrics'"),
        ({"permissions": ""}, "permissions: Field required"),
        ({"sources": ""}, "sources: Field required"),
        ({"sources": '["shop", "shopp"]'}, "sources: there is no source 'shopp'"),
        ({"requests_per_minute": "0"}, "requests_per_minute: Input should be greater than or equal to 1"),
        ({"max_in_flight": "0"}, "max_in_flight: Input should be greater than or equal to 1"),
        ({"spare": "1"}, "spare: unknown key"),
    ],
)
def test_a_mistake_in_a_caller_names_its_place(rows: dict[str, str], line: str) -> None:
    assert mistakes(SOURCE + caller("first", key_sha256=f'"{OTHER_DIGEST}"') + caller(**rows)) == [f"gateway.toml: callers.1.{line}"]


def test_a_caller_of_all_sources_needs_no_names_of_them() -> None:
    assert read(SOURCE + caller(sources='["*"]')).callers[0].sources == ("*",)


def test_two_callers_of_one_name_are_a_mistake() -> None:
    text = SOURCE + caller("job") + caller("job", key_sha256=f'"{OTHER_DIGEST}"')
    assert mistakes(text) == ["gateway.toml: callers.1.name: 'job' is there twice"]


def test_a_caller_cannot_have_the_name_of_somebody_who_signs_in() -> None:
    text = SOURCE + caller("jwt:https://login.example#anna")
    assert mistakes(text) == ["gateway.toml: callers.0.name: names that begin with jwt: are those of signed-in callers"]


def test_two_callers_of_one_key_are_a_mistake() -> None:
    text = SOURCE + caller("one") + caller("two", key_sha256=f'["{OTHER_DIGEST}", "{DIGEST}"]')
    assert mistakes(text) == ["gateway.toml: callers.1.key_sha256: another caller has the same key"]


def test_a_former_key_belongs_to_one_source_only() -> None:
    second = '[sources.till]\nsystem = "bare"\nbase_url = "https://till.example"\nformer_keys = ["old", "shop"]\n'
    assert mistakes(f'{SOURCE}former_keys = ["old"]\n{second}') == [
        "gateway.toml: sources.till.former_keys: 'old' is the key of a source already",
        "gateway.toml: sources.till.former_keys: 'shop' is the key of a source already",
    ]


def test_several_mistakes_give_several_lines() -> None:
    text = f"""
spare = 1
[server]
port = "x"
{SOURCE}
till = "x"
time_zone = "Nowhere"
auth = {{ kind = "basic" }}
[sources."a b"]
[sources.fax]
system = "fax"
{caller(permissions='["fly"]')}
"""
    assert sorted(mistakes(text)) == [
        "gateway.toml: callers.0.permissions.0: Input should be 'read', 'write', 'raw', 'explorer', 'audit' or 'metrics'",
        "gateway.toml: server.port: Input should be a valid integer, unable to parse string as an integer",
        "gateway.toml: sources.a b: a key has letters, digits, `_` and `-`, at most 63",
        "gateway.toml: sources.fax.system: must be one of bare, toy",
        "gateway.toml: sources.shop.auth.password: Field required",
        "gateway.toml: sources.shop.auth.username: Field required",
        "gateway.toml: sources.shop.till: Input should be a valid integer, unable to parse string as an integer",
        "gateway.toml: sources.shop.time_zone: 'Nowhere' is no IANA time zone",
        "gateway.toml: spare: unknown key",
    ]


def test_a_source_with_a_mistake_is_still_there_for_the_callers_that_name_it() -> None:
    assert mistakes(f"{SOURCE}spare = 1\n{caller()}") == ["gateway.toml: sources.shop.spare: unknown key"]


# Times that do not go together


@pytest.mark.parametrize(
    "rows", ["retries = 0\ntimeout_seconds = 10", "retries = 5\nmax_queue = 1\ntimeout_seconds = 1.4", "timeout_seconds = 1"]
)
def test_all_attempts_and_their_pauses_may_take_as_long_as_a_query(rows: str) -> None:
    assert read(f"{SOURCE}{rows}\n").notices == ()


def test_a_deadline_that_fits_to_the_hundredth_is_no_mistake() -> None:
    assert read(f"[server]\ndeadline_seconds = 9.15\n{SOURCE}").server.deadline_seconds == 9.15


def test_a_drain_of_nothing_and_a_source_without_retries_are_no_mistakes() -> None:
    settings = read(f"[server]\ndrain_seconds = 0\n{SOURCE}retries = 0\nretry_budget_percent = 0\n")
    assert (settings.server.drain_seconds, settings.sources["shop"].retries, settings.notices) == (0, 0, ())


@pytest.mark.parametrize(
    ("rows", "server", "lines"),
    [
        (
            "timeout_seconds = 4",
            "",
            [": 3 attempts (1 + retries) of timeout_seconds (4) and 0.15 s of pauses are 12.15 s, more than server.deadline_seconds (10)"],
        ),
        (
            "",
            "deadline_seconds = 9",
            [": 3 attempts (1 + retries) of timeout_seconds (3) and 0.15 s of pauses are 9.15 s, more than server.deadline_seconds (9)"],
        ),
        (
            "retries = 5",
            "",
            [": 6 attempts (1 + retries) of timeout_seconds (3) and 1.55 s of pauses are 19.55 s, more than server.deadline_seconds (10)"],
        ),
        ("timeout_seconds = 2\nconnect_timeout_seconds = 2.5", "", [".connect_timeout_seconds: 2.5 s is more than timeout_seconds (2)"]),
        ("", "mutation_deadline_seconds = 2", [".timeout_seconds: 3 s is more than server.mutation_deadline_seconds (2)"]),
        (
            "timeout_seconds = 0.5",
            "mutation_deadline_seconds = 0.25",
            [
                ".connect_timeout_seconds: 1 s is more than timeout_seconds (0.5)",
                ".timeout_seconds: 0.5 s is more than server.mutation_deadline_seconds (0.25)",
            ],
        ),
    ],
)
def test_times_that_cannot_be_kept_together_are_a_line_with_keys_and_numbers(rows: str, server: str, lines: list[str]) -> None:
    assert mistakes(f"[server]\n{server}\n{SOURCE}{rows}\n") == [f"gateway.toml: sources.shop{line}" for line in lines]


@given(retries=st.integers(0, 5), tenths=st.integers(10, 100))
def test_the_check_of_the_deadline_counts_as_the_retries_do(retries: int, tenths: int) -> None:
    taken = longest(retries, tenths / 10)
    text = f"{SOURCE}retries = {retries}\ntimeout_seconds = {tenths / 10}\n"
    assert read(f"[server]\ndeadline_seconds = {taken + 0.001}\n{text}").sources["shop"].retries == retries
    assert len(mistakes(f"[server]\ndeadline_seconds = {taken - 0.001}\n{text}")) == 1


# Files


def test_a_file_is_named_in_its_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "shop gateway.toml"
    path.write_text(SOURCE + "spare = 1\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, OPTIONS, {})
    assert caught.value.lines == ("shop gateway.toml: sources.shop.spare: unknown key",)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    missing, binary = tmp_path / "missing.toml", tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    found = []
    for path in (missing, tmp_path, binary):
        with pytest.raises(SettingsError) as caught:
            load_settings(path, OPTIONS, {})
        found.append(caught.value.lines)
    assert found == [
        (f"{missing}: No such file or directory",),
        (f"{tmp_path}: Is a directory",),
        (f"{binary}: not TOML: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",),
    ]


@pytest.mark.parametrize("value", ["[" * 100_000, "9" * 5_000])
def test_what_the_parser_cannot_take_in_is_one_line(value: str, tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(f"x = {value}", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, OPTIONS, {})
    assert caught.value.lines == (f"{path}: not TOML: a number has too many digits, or a value is nested too deep",)


@pytest.mark.parametrize(
    ("key", "table"),
    [("server.state", '[server]\nstate = "sqlite:///a\\u0000b"'), ("links.file", '[links]\nfile = "a\\u0000b"')],
)
def test_a_name_of_a_file_has_no_character_that_no_file_can_have(key: str, table: str) -> None:
    assert mistakes(SOURCE + table) == [f"gateway.toml: {key}: must not have the character U+0000"]


# Who signs in elsewhere


def sign_in(**rows: str) -> str:
    known = {"issuer": '"https://login.example"', "audience": '"gateway"', "jwks_url": '"https://login.example/jwks"', **rows}
    return "\n".join([SOURCE, "[jwt]", *(f"{key} = {value}" for key, value in known.items() if value), ""])


def test_sign_in_needs_three_keys_and_the_others_have_defaults() -> None:
    jwt = read(sign_in()).jwt
    assert jwt is not None
    assert jwt.model_dump() == {
        "issuer": "https://login.example",
        "audience": "gateway",
        "jwks_url": "https://login.example/jwks",
        "permissions_claim": "permissions",
        "sources_claim": "sources",
        "subject_claim": "sub",
        "algorithms": ("RS256",),
        "leeway_seconds": 30,
        "requests_per_minute": 600,
        "max_in_flight": 32,
    }


NO_ISSUER = "issuer: must be visible ASCII without #, as the tokens have it"
NOT_HTTPS = "jwks_url: must be https: whoever can change the keys on their way can sign in as anybody"
ALGORITHMS = "'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512' or 'EdDSA'"


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ({"issuer": ""}, "issuer: Field required"),
        ({"issuer": '""'}, NO_ISSUER),
        ({"issuer": '"https://login.example#a"'}, NO_ISSUER),
        ({"issuer": '"log in"'}, NO_ISSUER),
        ({"audience": ""}, "audience: Field required"),
        ({"audience": '""'}, "audience: String should have at least 1 character"),
        ({"jwks_url": ""}, "jwks_url: Field required"),
        ({"jwks_url": '"http://login.example/jwks"'}, NOT_HTTPS),
        ({"jwks_url": '"http://localhost.login.example/jwks"'}, NOT_HTTPS),
        ({"jwks_url": '"https://u:p@login.example/jwks"'}, "jwks_url: user and password belong in auth, not in the address"),
        ({"jwks_url": '"file:///etc/passwd"'}, "jwks_url: String should match pattern '^https?://'"),
        ({"algorithms": "[]"}, "algorithms: Tuple should have at least 1 item after validation, not 0"),
        ({"algorithms": '["RS256", "none"]'}, f"algorithms.1: Input should be {ALGORITHMS}"),
        ({"algorithms": '["RS256", "HS256"]'}, f"algorithms.1: Input should be {ALGORITHMS}"),
        ({"subject_claim": '""'}, "subject_claim: String should have at least 1 character"),
        ({"leeway_seconds": "301"}, "leeway_seconds: Input should be less than or equal to 300"),
        ({"leeway_seconds": "-1"}, "leeway_seconds: Input should be greater than or equal to 0"),
        ({"requests_per_minute": "0"}, "requests_per_minute: Input should be greater than or equal to 1"),
        ({"max_in_flight": "0"}, "max_in_flight: Input should be greater than or equal to 1"),
        ({"secret": '"x"'}, "secret: unknown key"),
    ],
)
def test_a_mistake_in_the_sign_in_names_its_key(rows: dict[str, str], line: str) -> None:
    assert mistakes(sign_in(**rows)) == [f"gateway.toml: jwt.{line}"]


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost", "[::1]:9000"])
def test_keys_may_come_from_this_machine_without_tls(host: str) -> None:
    jwt = read(sign_in(jwks_url=f'"http://{host}/jwks"')).jwt
    assert jwt is not None
    assert jwt.jwks_url == f"http://{host}/jwks"


# Trusted documents


def test_documents_lie_beside_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    rows = 'trusted_documents = "allow"\ndocuments = "{}"'
    for row, found in (("a/manifest.json", tmp_path / "a" / "manifest.json"), ("/m.json", Path("/m.json"))):
        path.write_text(f"[server]\n{rows.format(row)}\n{SOURCE}", encoding="utf-8")
        assert load_settings(path, OPTIONS).server.documents == found


@pytest.mark.parametrize("trust", ["allow", "require"])
def test_documents_that_are_trusted_must_be_named(trust: str) -> None:
    assert mistakes(f'[server]\ntrusted_documents = "{trust}"\n{SOURCE}') == [
        f'gateway.toml: server: trusted_documents = "{trust}" needs documents beside it'
    ]


@pytest.mark.parametrize("row", ['trusted_documents = "off"', "get_queries = true", 'trusted_documents = "allow"\ndocuments = "m.json"'])
def test_saying_that_something_is_off_or_used_is_no_notice(row: str) -> None:
    assert read(f"[server]\n{row}\n{SOURCE}").notices == ()


def test_the_graph_is_no_subgraph_unless_it_is_said() -> None:
    settings = read(SOURCE)

    assert (settings.federation.enabled, settings.federation.prefix) == (False, "")


@pytest.mark.parametrize("prefix", ["", "ACME_", "a", "A" * 40])
def test_what_may_begin_the_names_of_types_is_taken(prefix: str) -> None:
    settings = read(f"[federation]\nenabled = true\nprefix = '{prefix}'\n{SOURCE}")

    assert (settings.federation.enabled, settings.federation.prefix, settings.notices) == (True, prefix, ())


def test_a_prefix_that_is_not_used_is_said() -> None:
    assert read(f"[federation]\nprefix = 'ACME_'\n{SOURCE}").notices == ("federation.prefix: not used while enabled is false",)


def test_a_router_whose_documents_would_be_refused_is_said() -> None:
    tables = "[server]\ntrusted_documents = 'require'\ndocuments = 'm.json'\n[federation]\nenabled = true\n"

    assert read(tables + SOURCE).notices == (
        'server.trusted_documents: "require" refuses the documents that a router makes, unless the manifest has them',
    )


@pytest.mark.parametrize("row", ["", 'trusted_documents = "off"'])
def test_documents_that_are_not_used_are_said(row: str) -> None:
    assert read(f'[server]\n{row}\ndocuments = "m.json"\n{SOURCE}').notices == (
        'server.documents: not used while trusted_documents is "off"',
    )


# The contract with operators

CONTRACT = """
[server]
host = "127.0.0.1"
port = 8000
state = "sqlite:///gateway.db"          # or "postgresql://user@host/db": shared by all replicas
signing_key = "env:GATEWAY_SIGNING_KEY" # signs Document.temporaryUrl; without it the field is null
trusted_documents = "off"               # "allow", "require"; documents = "manifest.json"
explorer = false                        # GraphiQL at /
introspection = false                   # always on for callers with the explorer permission
get_queries = false
cors_origins = ["https://app.example"]
deadline_seconds = 10                   # one query
mutation_deadline_seconds = 30

[[callers]]                             # none at all: refuse to start on anything but loopback
name = "billing-script"
key_sha256 = ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]
permissions = ["read", "write"]         # also "raw", "explorer", "audit"
sources = ["pos", "shop"]               # required; ["*"]: all, later ones too
requests_per_minute = 600
max_in_flight = 32                      # a night job cannot starve the frontends

[jwt]                                   # optional, for frontends
issuer = "https://login.example"
audience = "invoice-gateway"
jwks_url = "https://login.example/jwks"
permissions_claim = "permissions"
sources_claim = "sources"
subject_claim = "sub"
algorithms = ["RS256"]

[limits]
max_depth = 12
max_upstream_calls = 1000               # one operation

[journal]
keep_days = 30                          # replay
settle_after_seconds = 120              # how long after an unanswered write its absence counts as proof
audit_days = 2600                       # who, when, source, number, outcome; no bodies

[links]                                 # which rules may say that two customers are one party
rules = ["organization_number"]         # also "customer_number", "email"
file = "links.csv"                      # optional: source,native_id,party

[sources.pos]
system = "nimpos"
base_url = "https://api.adm.nimpos.com"
terminal_ids = ["c7cf3ff9-453b-4c07-8f57-3274a1f04373"]
window_start = "2020-01-01"             # how far back a first window read goes
window_ttl_seconds = 60
default_currency = "SEK"
total_vat_basis = "unknown"             # "including", "excluding"
time_zone = "Europe/Stockholm"
auth = { kind = "password", token_path = "/Token", username = "u", password = "env:NIMPOS_PASSWORD" }

[sources.subscriptions]
system = "compilator"
base_url = "https://ddapi.example"
json_dates = "iso"                      # "iso": 2026-01-21 22:50:59, "us": 12/21/2025 1:04:33 PM
sweep_start = "2000-01-01"
auth = { kind = "header", name = "X-Api-Key", value = "env:COMPILATOR_KEY" }

[sources.shop]
system = "shopctrl"
base_url = "https://api.demo.shopctrl.com"
shop_ids = [1]
shop_owner_id = 1
auth = { kind = "basic", username = "u", password = "env:SHOPCTRL_PASSWORD" }

[sources.commerce]
system = "norce"
base_url = "https://customer-slug.api-se.norce.tech"
application_id = 1
query_version = "2.0"                   # "2.0", "3.0" or "off"
create_via = "connect"                  # "connect" (Order/CreateInvoice) or "insert-invoice" (OrderService InsertInvoice)
auth = { kind = "client_credentials", token_url = "https://customer-slug.api-se.norce.tech/identity/1.0/connect/token", \
client_id = "id", client_secret = "env:NORCE_SECRET", scope = "prod" }

# codes that mean something in this installation only; `check --live` prints those seen and not mapped, ready to paste
[sources.shop.payment_status]           # upstream code = PaymentStatus
41 = "PARTIALLY_PAID"
[sources.shop.order_status]
12 = "OPEN"
[sources.subscriptions.currencies]
3 = "SEK"
[sources.subscriptions.labels.TermsOfPaymentId]
3 = "30 dagar netto"
"""
FOR_ANY_SOURCE = """
display_name = "Kassan"
enabled = true
former_keys = ["till"]
timeout_seconds = 3
connect_timeout_seconds = 1
max_in_flight = 32
max_queue = 64
retries = 2
retry_budget_percent = 10
breaker_calls = 20
breaker_failure_percent = 50
breaker_open_seconds = 5
max_answer_bytes = 10485760
headers = { "X-Tenant" = "env:NIMPOS_PASSWORD" }
"""
ENVIRON = {
    name: f"hush-{name}" for name in ("GATEWAY_SIGNING_KEY", "NIMPOS_PASSWORD", "COMPILATOR_KEY", "SHOPCTRL_PASSWORD", "NORCE_SECRET")
}


def read_contract(tmp_path: Path, text: str = CONTRACT, environ: Mapping[str, str] = ENVIRON) -> Settings:
    path = tmp_path / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings(path, environ)


def test_the_configuration_that_operators_are_promised_is_read(tmp_path: Path) -> None:
    settings = read_contract(tmp_path)
    assert {key: source.options for key, source in settings.sources.items()} == {
        "pos": NimposOptions(terminal_ids=(UUID("c7cf3ff9-453b-4c07-8f57-3274a1f04373"),), window_start=date(2020, 1, 1)),
        "subscriptions": CompilatorOptions(json_dates="iso", sweep_start=date(2000, 1, 1)),
        "shop": ShopctrlOptions(shop_ids=(1,), shop_owner_id=1),
        "commerce": NorceOptions(application_id=1, query_version="2.0", create_via="connect"),
    }
    assert {key: source.auth.kind for key, source in settings.sources.items()} == {
        "pos": "password",
        "subscriptions": "header",
        "shop": "basic",
        "commerce": "client_credentials",
    }
    assert settings.sources["pos"].default_currency == "SEK"
    assert settings.sources["shop"].order_status == {"12": "OPEN"}
    assert settings.sources["subscriptions"].currencies == {"3": "SEK"}
    assert (settings.is_open, settings.callers[0].sources) == (False, ("pos", "shop"))
    assert "hush" not in repr(settings)


def test_the_keys_that_any_source_may_have_are_read(tmp_path: Path) -> None:
    pos = 'system = "nimpos"\n'
    settings = read_contract(tmp_path, CONTRACT.replace(pos, pos + FOR_ANY_SOURCE))
    assert (settings.sources["pos"].display_name, settings.sources["pos"].former_keys) == ("Kassan", ("till",))


def test_without_its_environment_each_secret_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_contract(tmp_path, environ={})
    assert sorted(caught.value.lines) == [
        "gateway.toml: server.signing_key: the environment variable GATEWAY_SIGNING_KEY is not set",
        "gateway.toml: sources.commerce.auth.client_secret: the environment variable NORCE_SECRET is not set",
        "gateway.toml: sources.pos.auth.password: the environment variable NIMPOS_PASSWORD is not set",
        "gateway.toml: sources.shop.auth.password: the environment variable SHOPCTRL_PASSWORD is not set",
        "gateway.toml: sources.subscriptions.auth.value: the environment variable COMPILATOR_KEY is not set",
    ]


@pytest.mark.parametrize(
    ("row", "other", "line"),
    [
        ("shop_ids = [1]", "shop_ids = []", "sources.shop.shop_ids: Tuple should have at least 1 item after validation, not 0"),
        ("application_id = 1", "aplication_id = 1", "sources.commerce.aplication_id: unknown key"),
        ('"iso"   ', '"eu"', "sources.subscriptions.json_dates: Input should be 'iso' or 'us'"),
        ('"2000-01-01"', '"sometime"', "sources.subscriptions.sweep_start: Input should be a valid date or datetime, input is too short"),
        ('"nimpos"', '"nimpoz"', "sources.pos.system: must be one of compilator, nimpos, norce, shopctrl"),
    ],
)
def test_a_mistake_in_a_systems_own_keys_is_said_as_any_other(tmp_path: Path, row: str, other: str, line: str) -> None:
    assert CONTRACT.count(row) == 1
    with pytest.raises(SettingsError) as caught:
        read_contract(tmp_path, CONTRACT.replace(row, other))
    assert f"gateway.toml: {line}" in caught.value.lines
