from __future__ import annotations

import pytest

from gateway.transport.origin import Origin, origin_of, split


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("https://api.example", "https://api.example", "/"),
        ("https://api.example/", "https://api.example", "/"),
        ("https://api.example?a=b", "https://api.example", "/?a=b"),
        ("http://api.example:81/a//b/../c?d?e", "http://api.example:81", "/a//b/../c?d?e"),
        ("https://[::1]:8443/a://b", "https://[::1]:8443", "/a://b"),
    ],
)
def test_an_address_is_its_origin_and_its_target_as_it_stands(url: str, origin: str, target: str) -> None:
    assert split(url) == (origin, target)


@pytest.mark.parametrize("url", ["", "/a", "api.example/a", "ftp://api.example/", "HTTPS://api.example/", "http:///a", "http://?a"])
def test_what_is_no_address_of_http_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        split(url)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://api.example", Origin("api.example", 80, is_tls=False, authority="api.example")),
        ("https://api.example", Origin("api.example", 443, is_tls=True, authority="api.example")),
        ("https://API.example:443", Origin("api.example", 443, is_tls=True, authority="api.example")),
        ("https://api.example:80", Origin("api.example", 80, is_tls=True, authority="api.example:80")),
        ("http://[::1]", Origin("::1", 80, is_tls=False, authority="[::1]")),
        ("http://[::1]:8080", Origin("::1", 8080, is_tls=False, authority="[::1]:8080")),
        ("https://fåre.example", Origin("xn--fre-ula.example", 443, is_tls=True, authority="xn--fre-ula.example")),
        ("https://straße.example", Origin("xn--strae-oqa.example", 443, is_tls=True, authority="xn--strae-oqa.example")),
    ],
)
def test_an_origin_says_where_to_connect_and_what_host_is_asked_for(text: str, origin: Origin) -> None:
    assert origin_of(text) == origin


@pytest.mark.parametrize(
    "text", ["http://user@api.example", "http://api.example:x", "http://api.example:99999", "http://[::1", "http://å..b"]
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        origin_of(text)
